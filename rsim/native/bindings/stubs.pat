# What the stub generator can't see: imports that signatures use, and the union of all messages.
_native.__suffix__:
    from typing import TypeAlias
    Message: TypeAlias = (
        Registration | Deregistration | RegistrationResponse | DeregistrationResponse
        | HandleResolution | HandleResolutionResponse | EndpointKeepAlive | EndpointKeepAliveAck
        | EndpointUnreachable | ServerAnnounce | Cookie | CookieEcho | BusinessCard | AsapError
        | Presence | HandleTableRequest | HandleTableResponse | HandleUpdate | ListRequest
        | ListResponse | InitTakeover | InitTakeoverAck | TakeoverServer | EnrpError
    )
