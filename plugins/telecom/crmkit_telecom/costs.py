"""What serving subscribers costs, for contribution: an activity each."""

from __future__ import annotations

from crmkit.declarations import CostDriver

EXAMPLE = (
    "crmkit, an example in units of the workspace's currency; set your own: crmkit value set-cost"
)

# (driver, kind, field of a quantity, cost, title, title_zh)
_DRIVERS = (
    ("bill", "bill", "", "0.40", "Bill made and sent", "出账"),
    ("data_gb", "usage", "data_gb", "0.35", "Gigabyte carried", "每GB流量"),
    ("voice_minute", "usage", "voice_out_min", "0.004", "Outgoing minute carried", "每分钟主叫"),
    ("sms", "usage", "sms", "0.001", "Message carried", "每条短信"),
    ("roaming_day", "usage", "roaming_days", "1.50", "Day of roaming", "每漫游日"),
    ("service_call", "service_call", "", "4.00", "Call to the service line", "客服来电"),
    ("complaint", "complaint", "", "12.00", "Complaint worked on", "投诉处理"),
    ("network_fault", "network_fault", "", "8.00", "Network fault worked on", "网络故障处理"),
    ("store_visit", "store_visit", "", "6.00", "Visit to a store", "到店接待"),
    ("field_visit", "field_visit", "", "55.00", "Engineer's visit", "上门维修"),
    ("plan_change", "plan_change", "", "1.50", "Plan changed", "套餐变更"),
    ("contract_renewal", "contract_renewal", "", "5.00", "Contract renewed", "合约续签"),
    ("port_out_request", "port_out_request", "", "2.00", "Port-out request handled", "携出受理"),
    ("cancellation_request", "cancellation_request", "", "5.00", "Cancellation handled", "销户受理"),
    ("retention_offer", "retention_offer", "", "5.00", "Retention call", "挽留外呼"),
    ("win_back_call", "win_back_call", "", "5.00", "Win-back call", "赢回外呼"),
    ("dunning_notice", "dunning_notice", "", "0.90", "Dunning notice", "催缴通知"),
    ("account_review", "account_review", "", "80.00", "Key account review", "大客户走访"),
)  # fmt: skip
# Dealers and payment services keep a part of what is topped up.
_TOPUP = CostDriver(
    name="telecom.topup_fee", kind="telecom.topup", per="amount", cost="0.02",
    title="Fee on top-ups", title_zh="充值手续费", source=EXAMPLE,
)  # fmt: skip

COST_DRIVERS = (
    *(
        CostDriver(
            name=f"telecom.{name}", kind=f"telecom.{kind}",
            per="quantity" if field else "interaction", field=field, cost=cost, title=title,
            title_zh=title_zh, source=EXAMPLE,
        )
        for name, kind, field, cost, title, title_zh in _DRIVERS
    ),
    _TOPUP,
)  # fmt: skip
