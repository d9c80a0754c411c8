"""What serving guests costs, for contribution: an activity each."""

from __future__ import annotations

from crmkit.declarations import CostDriver

EXAMPLE = (
    "crmkit, an example in units of the workspace's currency; set your own: crmkit value set-cost"
)

# (driver, cost, title, title_zh); each driver has the name of its kind.
_DRIVERS = (
    ("enquiry", "2.00", "Enquiry answered", "咨询答复"),
    ("booking", "3.00", "Booking taken", "预订受理"),
    ("booking_change", "2.00", "Booking changed", "预订变更"),
    ("cancellation", "2.00", "Cancellation handled", "取消受理"),
    ("pre_arrival_message", "0.80", "Message before arrival", "到店前留言"),
    ("transfer", "30.00", "Transfer", "接送"),
    ("check_in", "4.00", "Check-in", "入住登记"),
    ("check_out", "2.50", "Check-out", "离店"),
    ("room_move", "15.00", "Room move", "换房"),
    ("concierge_request", "5.00", "Request to the concierge", "礼宾请求"),
    ("housekeeping_request", "4.00", "Request to housekeeping", "客房服务请求"),
    ("maintenance_fault", "18.00", "Fault repaired", "维修"),
    ("wake_up_call", "0.30", "Wake-up call", "叫醒"),
    ("complaint", "15.00", "Complaint worked on", "投诉处理"),
    ("recovery_gesture", "25.00", "Recovery gesture", "补救"),
    ("lost_property", "8.00", "Lost property handled", "失物处理"),
    ("post_stay_offer", "0.10", "Offer after the stay", "离店后优惠"),
)  # fmt: skip

COST_DRIVERS = tuple(
    CostDriver(
        name=f"hotel.{name}",
        kind=f"hotel.{name}",
        cost=cost,
        title=title,
        title_zh=title_zh,
        source=EXAMPLE,
    )
    for name, cost, title, title_zh in _DRIVERS
)
