"""Settings of the applications: what users ask for, and what elements can do."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from rsim.distributions import Distribution, IntervalDistribution
from rsim.handlespace import LARGEST
from rsim.units import Interval, Model, Number, Seconds, Share
from rsim.workload.arrivals import ArrivalFile
from rsim.workload.cheating import LieSettings, UserCheatSettings


class ClientSettings(Model):
    """What a pool user's application asks for and how patient it is."""

    request_size: Distribution = Field(
        Distribution(distribution="exponential", mean=1e7), description="calculations of a request"
    )
    request_interval: IntervalDistribution = Field(
        Distribution(distribution="exponential", mean=125.0),
        description="time between two requests of a pool user, in s",
    )
    arrivals: ArrivalFile | None = Field(
        None, description="file with requests or rates over time, instead of request_interval"
    )
    request_timeout: Interval = Field(
        50.0, description="wait for an element to accept before it is reported unreachable"
    )
    keep_alive_interval: Interval = Field(
        50.0, description="time between session keep-alives to the element"
    )
    keep_alive_timeout: Interval = Field(
        50.0, description="time without answer after which the element is given up"
    )
    retry_delay: Seconds = Field(
        0.2, description="longest pause after a refusal; the pause is uniform"
    )
    empty_pool_delay: Interval = Field(30.0, description="pause after an answer without elements")
    cheat: UserCheatSettings = Field(
        UserCheatSettings(), description="users that choose in place of the policy"
    )
    heed_business_cards: bool = Field(
        True, description="turn to the elements that an element's business card prefers"
    )
    failover_security: Literal["secure", "clear"] = Field(
        "secure",
        description="where TLS protects the session: a failover sets it up again and turns down "
        "elements that can't, or goes on in clear as if nobody had told (RFC 5355 2.9)",
    )
    failover: Literal["cookies", "restart", "none"] = Field(
        "cookies",
        description="what becomes of a request whose element is gone: it goes on from the last "
        "cookie, begins anew, or has failed",
    )

    @model_validator(mode="after")
    def _requests_come_one_way(self) -> Self:
        if self.arrivals is not None:
            if self.request_interval != type(self).model_fields["request_interval"].default:
                raise ValueError("request_interval: does nothing beside arrivals")
            sized = self.arrivals.size is not None or "size" in self.arrivals.table()
            if sized and self.request_size != type(self).model_fields["request_size"].default:
                raise ValueError("request_size: does nothing beside arrivals that have sizes")
        return self


class ElementSettings(Model):
    """What a pool element's application can do and how it behaves."""

    capacity: Number = Field(1e6, gt=0, description="calculations per second")
    discipline: Literal["sharing", "in_order"] = Field(
        "sharing", description="all requests at once with equal shares, or one after the other"
    )
    min_capacity_per_request: Number = Field(
        1e4,
        gt=0,
        description="least share of the capacity (calculations/s) for each request; "
        "limits how many are accepted at once",
    )
    reject_probability: Share = Field(
        0.0, description="chance that a request is turned down though there is room"
    )
    load_degradation: Share | None = Field(
        None, description="load that one more request adds; null: 1 / most requests"
    )
    weight: int | None = Field(None, ge=0, le=LARGEST, description="weight; null: the capacity")
    priority: int = Field(0, ge=0, le=LARGEST, description="priority, larger first")
    load_distance_penalty: Share = Field(
        0.0, description="policies ..._dpf: load that a ms of distance counts for"
    )
    weight_distance_penalty: Share = Field(
        0.0, description="policies ..._dpf: share of the weight that a ms takes away"
    )
    distance: float = Field(
        0.0,
        ge=0,
        le=1e9,
        description="policies ..._dpf: distance to its home server that it states, ms",
    )
    control_channel: bool = Field(
        True,
        description="its user transport carries control as well as data (RFC 5354 3.4); else it "
        "sends neither cookies nor business cards, and takes no cookies",
    )
    cookie_interval: Number | None = Field(
        1e7, gt=0, description="calculations of a request between two cookies; null: no cookies"
    )
    deregistration: Literal["hand_over", "finish"] = Field(
        "hand_over",
        description="of requests in progress at a clean shutdown: users get a cookie and go "
        "elsewhere, or the element finishes them first",
    )
    serve_after_deregistration: bool = Field(
        False, description="while it finishes, take requests of users that have it in their cache"
    )
    registration_pause: Interval | None = Field(
        60.0,
        description="pause after which an element that has given up its registration "
        "(MAX-REG-ATTEMPT) tries again; null: never",
    )
    keep_alive_interval: Interval = Field(
        50.0, description="time between session keep-alives to a pool user"
    )
    keep_alive_timeout: Interval = Field(
        50.0, description="time without answer after which a request is given up"
    )
    lie: LieSettings = Field(LieSettings(), description="elements that state what is not true")
    business_cards: bool = Field(
        False,
        description="tell each user which elements to turn to next, in the order of the policy "
        "(RFC 5352 3.9)",
    )

    @property
    def max_requests(self) -> int:
        """Most requests at once."""
        return max(1, round(self.capacity / self.min_capacity_per_request))
