"""Profiles: named sets of protocol settings.

`rfc`, the default, follows the RFCs and closes what they leave open for the better; `literal`
follows their letter even where that is an attack surface; `rspsim` behaves as the simulator RSPSIM
does, oddities included, so that its published results can be reproduced.
"""

from __future__ import annotations

from typing import Any

PROFILES: dict[str, dict[str, Any]] = {
    "rfc": {},
    "literal": {
        "protocol": {
            "enrp_server": {
                "bad_pe_reports_rule": "exceeds",
                "reset_reports_on_registration": False,
                "reset_reports_on_keep_alive_ack": False,
                "check_identity": False,
                "check_updates": False,
                "check_peers": False,
                "limit_probes": False,
                "error_interval": 0.0,
                "nonowner_removes": True,
                "heal_split_pools": False,
                "resume_watch": False,
            },
        },
    },
    "rspsim": {
        "network": {"transport": "instant"},
        "protocol": {
            "enrp_server": {
                "mentor_discovery_time": 30.0,
                "keep_alive_interval": 50.0,
                "keep_alive_timeout": 50.0,
                "keep_alive_spread": 0.0,
                "verify_unreachable": False,
                "reset_reports_on_registration": False,
                "reset_reports_on_keep_alive_ack": False,
                "max_resolution_items": 1,
                "degradations_per_selection": 2,
                "degradations_at_registration": 1,
                "saturate_degraded_load": True,
                "expire_registrations": False,
                "check_identity": False,
                "check_addresses": False,
            },
            "pool_user": {
                "t1_enrp_request": 5.0,
                "max_request_retransmit": 3,
                "stale_cache_value": 0.0,
            },
        },
    },
}
"""Settings of each profile, as a scenario file would write them."""
