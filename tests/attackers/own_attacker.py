"""An attacker that registers an element, waits until it is popular, and deregisters it."""

from pydantic import Field

from rsim.attackers import Attacker, AttackerSettings, attacker
from rsim.handlespace import policy_with
from rsim.wire import Deregistration, PoolElement, Registration, SctpTransport


class QuitterSettings(AttackerSettings):
    patience: float = Field(60.0, description="seconds until it deregisters")


@attacker
class Quitter(Attacker[QuitterSettings]):
    kind = "quitter"
    Settings = QuitterSettings

    def start(self):
        here = self.surroundings
        self.server = here.connect(self, 0)
        place = SctpTransport(port=9, addresses=(here.host.address,), use=1)
        policy = policy_with(here.policy, {"load": 0})
        element = PoolElement(identifier=666, user_transport=place, policy=policy)
        self.send(self.server, Registration(pool_handle=here.pool_handle, pool_element=element))
        here.clock.call_at(here.clock.now + self.settings.patience, self.stop)

    def stop(self):
        handle = self.surroundings.pool_handle
        self.send(self.server, Deregistration(pool_handle=handle, pe_identifier=666))
