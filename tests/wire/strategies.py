"""Hypothesis strategies for parameters and messages."""

from __future__ import annotations

from hypothesis import strategies as st

from rsim import wire

words = st.integers(0, 2**32 - 1)
shorts = st.integers(0, 2**16 - 1)
handles = st.binary(min_size=1, max_size=40)
addresses = st.ip_addresses().map(str)
uses = st.integers(0, 1)
extensions = st.none() | st.binary(max_size=30)


def _one(cls, **more):
    return st.builds(
        cls, port=shorts, addresses=st.lists(addresses, min_size=1, max_size=1), **more
    )


sctp = st.builds(
    wire.SctpTransport,
    port=shorts,
    use=uses,
    addresses=st.lists(addresses, min_size=1, max_size=4),
)
transports = st.one_of(
    sctp,
    _one(wire.TcpTransport, use=uses),
    _one(wire.UdpTransport),
    _one(wire.UdpLiteTransport),
    _one(wire.DccpTransport, service_code=words),
    st.builds(wire.OpaqueTransport, data=st.binary(max_size=20)),
)


@st.composite
def _known_policies(draw):
    name = draw(st.sampled_from(sorted(wire.policy_types())))
    return wire.Policy(name, **{value: draw(words) for value in wire.policy_values(name)})


_unknown_types = words.filter(
    lambda t: t not in (0, 0x40000000) and t not in wire.policy_types().values()
)
policies = st.one_of(
    _known_policies(), st.builds(wire.Policy, _unknown_types, data=st.binary(max_size=20))
)
elements = st.builds(
    wire.PoolElement,
    identifier=words,
    home_server=words,
    registration_life=st.integers(-(2**31), 2**31 - 1),
    user_transport=transports,
    policy=policies,
    asap_transport=st.none() | sctp,
)
servers = st.builds(wire.ServerInformation, server_identifier=words, transport=sctp)
causes = st.builds(wire.ErrorCause, shorts, st.binary(max_size=20))
some_causes = st.lists(causes, min_size=1, max_size=3)
some_elements = st.lists(elements, min_size=1, max_size=3)
entries = st.builds(wire.PoolEntry, pool_handle=handles, pool_elements=some_elements)
parties = {"sender": words, "receiver": words}
named = {"pool_handle": handles, "pe_identifier": words}

asap = st.one_of(
    st.builds(wire.Registration, pool_handle=handles, pool_element=elements, statement=extensions),
    st.builds(wire.Deregistration, **named),
    st.builds(
        wire.RegistrationResponse,
        reject=st.booleans(),
        error_causes=st.lists(causes, max_size=3),
        **named,
    ),
    st.builds(wire.DeregistrationResponse, error_causes=st.lists(causes, max_size=3), **named),
    st.builds(
        wire.HandleResolution,
        pool_handle=handles,
        send_updates=st.booleans(),
        items=st.none() | words,
        evidence=extensions,
    ),
    st.builds(
        wire.HandleResolutionResponse,
        pool_handle=handles,
        accept_updates=st.booleans(),
        policy=st.none() | policies,
        pool_elements=some_elements,
        statements=extensions,
        choice_grant=extensions,
    ),
    st.builds(wire.HandleResolutionResponse, pool_handle=handles, error_causes=some_causes),
    st.builds(
        wire.EndpointKeepAlive,
        server_identifier=words,
        pool_handle=handles,
        home=st.booleans(),
        pe_identifier=st.none() | words,
    ),
    st.builds(wire.EndpointKeepAliveAck, **named),
    st.builds(wire.EndpointUnreachable, **named),
    st.builds(
        wire.ServerAnnounce,
        server_identifier=words,
        transports=st.lists(st.one_of(sctp, _one(wire.TcpTransport, use=uses)), max_size=3),
    ),
    st.builds(wire.Cookie, cookie=st.binary(max_size=50)),
    st.builds(wire.CookieEcho, cookie=st.binary(max_size=50)),
    st.builds(
        wire.BusinessCard,
        pool_handle=handles,
        pool_elements=some_elements,
        policy=st.none() | policies,
    ),
    st.builds(wire.AsapError, error_causes=some_causes),
)
enrp = st.one_of(
    st.builds(
        wire.Presence,
        reply_required=st.booleans(),
        pe_checksum=st.none() | shorts,
        server_information=st.none() | servers,
        **parties,
    ),
    st.builds(wire.HandleTableRequest, own_only=st.booleans(), **parties),
    st.builds(
        wire.HandleTableResponse,
        more=st.booleans(),
        pools=st.lists(entries, max_size=3),
        **parties,
    ),
    st.builds(
        wire.HandleUpdate,
        takeover_suggested=st.booleans(),
        update_action=uses,
        pool_handle=handles,
        pool_element=elements,
        **parties,
    ),
    st.builds(wire.ListRequest, **parties),
    st.builds(wire.ListResponse, servers=st.lists(servers, max_size=3), **parties),
    st.builds(wire.InitTakeover, target=words, **parties),
    st.builds(wire.InitTakeoverAck, target=words, **parties),
    st.builds(wire.TakeoverServer, target=words, **parties),
    st.builds(wire.EnrpError, error_causes=some_causes, **parties),
)
messages = st.one_of(asap.map(lambda m: ("asap", m)), enrp.map(lambda m: ("enrp", m)))
