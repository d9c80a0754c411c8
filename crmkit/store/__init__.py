"""The store: where operational data are kept, and the only place that writes them.

:class:`~crmkit.store.store.Store` opens the database; a gateway per entity takes and gives entities.
"""
