"""An attacker that registers elements, waits until they are popular, and withdraws them."""

from pydantic import Field

from rsim.attackers import Attacker, AttackerSettings, attacker
from rsim.handlespace import policy_with
from rsim.wire import Deregistration, PoolElement, Registration, SctpTransport


class QuitterSettings(AttackerSettings):
    patience: float = Field(60.0, gt=0, description="time in s before it withdraws")


@attacker
class Quitter(Attacker[QuitterSettings]):
    kind = "quitter"
    Settings = QuitterSettings

    def start(self):
        here = self.surroundings
        self.association = here.connect(self, 0)
        transport = SctpTransport(port=9, addresses=(here.host.address,), use=1)
        policy = policy_with(here.policy, {"load": 0})
        element = PoolElement(
            identifier=666, registration_life=300, user_transport=transport, policy=policy
        )
        self.send(
            self.association, Registration(pool_handle=here.pool_handle, pool_element=element)
        )
        here.clock.call_at(here.clock.now + self.settings.patience, self.stop)

    def stop(self):
        handle = self.surroundings.pool_handle
        self.send(self.association, Deregistration(pool_handle=handle, pe_identifier=666))
