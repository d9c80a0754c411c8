"""The reasons against a contact, in words."""

from __future__ import annotations

ALLOWED = "allowed"
QUIET = "quiet_hours"

# By code: a sentence in English and in Chinese; names in braces are filled in.
WORDS = {
    "do_not_contact": (
        "the customer asked not to be contacted at all",
        "客户要求不再联系",
    ),
    "withdrawn": (
        "consent to {purpose} by {channel} was withdrawn",
        "客户已撤回对{purpose}（{channel}）的同意",
    ),
    "do_not_contact_shared": (
        "another customer with the same address asked not to be contacted at all",
        "同一联系地址的另一客户要求不再联系",
    ),
    "withdrawn_shared": (
        "another customer with the same address withdrew consent to {purpose} by {channel}",
        "同一联系地址的另一客户已撤回对{purpose}（{channel}）的同意",
    ),
    "protected": (
        "{owner} has the customer since {since}; renewals are free for others from {free}",
        "客户自{since}起由{owner}负责；{free}起其他人方可办理续约",
    ),
    "no_consent": (
        "there is no consent to {purpose} by {channel}",
        "客户未同意{purpose}（{channel}）",
    ),
    "cap": (
        "the limit is reached: contacts {most}, days {days}",
        "{days}天内{most}次的上限已到",
    ),
    QUIET: (
        "it is {clock} where the customer is, within the quiet hours {begins} to {ends}",
        "客户当地时间{clock}，处于安静时段{begins}至{ends}",
    ),
    "blocked": (
        "the customer is not to be contacted: {reason}",
        "暂停联系：{reason}",
    ),
}  # fmt: skip

# Words for the codes of blocks that people file; others are shown by their code.
BLOCKS = {
    "bereavement": ("a death in the family", "家有丧事"),
    "do_not_contact": ("the customer asked for it", "客户要求不再联系"),
    "dispute": ("a dispute is open", "存在争议"),
    "vulnerable": ("the customer needs special care", "需要特别关照"),
}


def words(code: str, **values: object) -> tuple[str, str]:
    """The sentence of a reason in English and in Chinese."""
    english, chinese = WORDS[code]
    return english.format(**values), chinese.format(**values)


def block_words(code: str) -> tuple[str, str]:
    """The sentence of a block that somebody filed under this code."""
    english, chinese = BLOCKS.get(code, (code.replace("_", " "), code))
    return WORDS["blocked"][0].format(reason=english), WORDS["blocked"][1].format(reason=chinese)
