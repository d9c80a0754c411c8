"""Where the password of a database account belongs, in words."""

from ..settings import PASSWORD

PASSWORD_PLACES = (
    f"Give it by the variable {PASSWORD}, by a file that database_password_file in crmkit.toml "
    "names, or by ~/.pgpass."
)
