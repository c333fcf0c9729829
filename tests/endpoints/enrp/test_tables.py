"""Tables that a server serves, audits, and re-synchronisation (RFC 5353 2.2, 2.3, 3.2.3, 3.6)."""

import pytest

from rsim import wire
from rsim.handlespace import Handlespace

requirement = pytest.mark.conformance
HANDLE = b"pool"


def request(own_only=False, sender=5):
    return wire.HandleTableRequest(sender=sender, receiver=77, own_only=own_only)


def download(peer, own_only=False):
    """All pieces of a table."""
    pieces = peer.say(request(own_only))
    while pieces[-1].more:
        pieces += peer.say(request(own_only))
    return pieces


def entries(pieces):
    return [
        (pool.pool_handle, element.identifier)
        for piece in pieces
        for pool in piece.pools
        for element in pool.pool_elements
    ]


@pytest.fixture
def full(make_server, make_peer, register, element):
    """A server with elements of its own and of a peer."""

    def make(own=5, foreign=3, **settings):
        server = make_server(**settings)
        peer = make_peer(server, 5)
        for number in range(own):
            register(server, 100 + number, handle=b"ab"[number % 2 :][:1])
        for number in range(foreign):
            # In a pool of their own, and in one with elements of the server.
            peer.say(peer.add(element(200 + number), b"pool" if number % 2 else b"a"))
        peer.take()
        return server, peer

    return make


@requirement("ENRP-035")
@requirement("ENRP-020")
def test_a_list_holds_all_others(make_server, make_peer):
    server = make_server()
    peers = [make_peer(server, number) for number in (5, 6, 7)]
    [answer] = peers[0].say(wire.ListRequest(sender=5, receiver=77))
    assert not answer.reject
    assert (answer.sender, answer.receiver) == (77, 5)
    listed = sorted(answer.servers, key=lambda one: one.server_identifier)
    assert listed == [peer.information for peer in peers[1:]]


@requirement("ENRP-040")
@requirement("ENRP-041")
@requirement("ENRP-042")
@requirement("ENRP-012")
@requirement("ENRP-014")
@requirement("ENRP-015")
@pytest.mark.parametrize("limit", [1, 3, 128])
def test_pieces_make_up_the_handlespace(full, limit):
    server, peer = full(max_table_elements=limit)
    pieces = download(peer)
    assert [piece.more for piece in pieces] == [True] * (len(pieces) - 1) + [False]
    sent = {
        (pool.pool_handle, element.identifier): element
        for piece in pieces
        for pool in piece.pools
        for element in pool.pool_elements
    }
    assert len(sent) == len(entries(pieces)) == 8
    # Whole elements, with all that is known of them.
    assert sent == {key: server.handlespace.find(*key) for key in sent}
    assert all(pool.pool_elements for piece in pieces for pool in piece.pools)
    assert server.tables.downloads == 0


@requirement("ENRP-014")
def test_an_empty_handlespace_is_an_empty_piece(full):
    _, peer = full(own=0, foreign=0)
    [piece] = download(peer)
    assert not piece.reject and piece.pools == ()


@requirement("ENRP-098")
@requirement("ENRP-011")
def test_own_only_lists_what_the_server_owns(full):
    _, peer = full(max_table_elements=2)
    pieces = download(peer, own_only=True)
    elements = [e for piece in pieces for pool in piece.pools for e in pool.pool_elements]
    assert sorted(element.identifier for element in elements) == list(range(100, 105))
    assert {element.home_server for element in elements} == {77}


@requirement("ENRP-051")
def test_a_download_that_is_not_continued_is_forgotten(clock, full):
    server, peer = full(max_table_elements=2)
    peer.say(request())
    assert server.tables.downloads == 1
    clock.run_until(5.1)
    assert server.tables.downloads == 0


@requirement("ENRP-048")
def test_downloads_beyond_the_limit_are_refused(full, make_peer):
    server, peer = full(max_table_elements=2, max_downloads=1)
    other = make_peer(server, 6)
    peer.say(request())
    [refusal] = other.say(request(sender=6))
    assert refusal.reject
    assert not peer.say(request())[0].reject


def test_a_request_of_the_other_kind_starts_over(full):
    _, peer = full(max_table_elements=2)
    first = entries(peer.say(request()))
    peer.say(request(own_only=True))
    assert entries(peer.say(request())) == first


# Audits ------------------------------------------------------------------------------------------


def own_checksum(*elements, owner=5):
    space = Handlespace()
    for element in elements:
        space.add(HANDLE, element, home_server=owner)
    return space.checksum(owner)


@requirement("ENRP-086")
@requirement("ENRP-087")
@requirement("ENRP-093")
@requirement("ENRP-094")
def test_presence_carries_the_checksum_of_the_moment(clock, make_server, make_peer, register):
    server = make_server(expire_registrations=False, keep_alive_interval=1000)
    peer = make_peer(server, 5)
    seen = set()
    for number in range(4):
        register(server, number + 1)
        clock.run_until(30 * (number + 1) + 0.1)
        beat = peer.take(wire.Presence)[-1]
        space = Handlespace()
        for pool in server.handlespace.table(limit=100, octets=10**6)[0]:
            for element in pool.pool_elements:
                space.add(pool.pool_handle, element)
        assert beat.pe_checksum == space.checksum(77)
        seen.add(beat.pe_checksum)
        peer.say(peer.presence())
    assert len(seen) == 4


@requirement("ENRP-088")
@requirement("ENRP-089")
def test_equal_sums_need_no_action(make_server, make_peer, element):
    server = make_server()
    peer = make_peer(server, 5)
    peer.say(peer.add(element(1)))
    audits = server.counters.audits
    assert peer.say(peer.presence(own_checksum(element(1)))) == []
    assert server.counters.audits == audits + 1
    assert server.counters.audit_mismatches == 0


@requirement("ENRP-008")
def test_a_presence_without_checksum_is_not_audited(make_server, make_peer):
    server = make_server()
    peer = make_peer(server, 5)
    audits = server.counters.audits
    assert peer.say(peer.presence(checksum=None)) == []
    assert server.counters.audits == audits


@requirement("ENRP-085")
@requirement("ENRP-090")
@requirement("ENRP-096")
@requirement("ENRP-097")
@requirement("ENRP-099")
@requirement("ENRP-100")
@requirement("ENRP-101")
@requirement("ENRP-013")
def test_unequal_sums_fetch_what_the_peer_owns_and_sweep_the_rest(make_server, make_peer, element):
    server = make_server()
    peer, witness = make_peer(server, 5), make_peer(server, 6)
    for number in (1, 2):
        peer.say(peer.add(element(number)))
    asked = peer.say(peer.presence(own_checksum(element(2), element(3))))
    assert asked == [wire.HandleTableRequest(sender=77, receiver=5, own_only=True)]
    two, three = (element(n).replace(home_server=5) for n in (2, 3))
    changed = two.replace(registration_life=99)
    piece = wire.HandleTableResponse(
        sender=5,
        receiver=77,
        pools=[wire.PoolEntry(pool_handle=HANDLE, pool_elements=[changed])],
        more=True,
    )
    assert peer.say(piece) == asked
    assert server.handlespace.find(HANDLE, 1) is not None
    last = piece.replace(
        more=False, pools=[wire.PoolEntry(pool_handle=HANDLE, pool_elements=[three])]
    )
    assert peer.say(last) == []
    assert server.handlespace.find(HANDLE, 1) is None
    assert server.handlespace.find(HANDLE, 2).registration_life == 99
    assert server.handlespace.find(HANDLE, 3) is not None
    assert witness.take(wire.HandleUpdate) == []
    assert peer.say(peer.presence(own_checksum(two, three))) == []


@requirement("ENRP-110")
@requirement("ENRP-099")
def test_a_response_brings_new_elements_and_new_attributes(make_server, make_peer, element):
    server = make_server()
    peer = make_peer(server, 5)
    peer.say(peer.add(element(1)))
    moved = wire.PoolElement(
        identifier=1,
        home_server=5,
        registration_life=9,
        user_transport=wire.SctpTransport(port=99, addresses=["10.0.7.7"]),
        policy=wire.Policy("round_robin"),
        asap_transport=wire.SctpTransport(port=98, addresses=["10.0.8.8"]),
    )
    new = moved.replace(identifier=2)
    peer.say(peer.presence(own_checksum(moved, new)))
    entry = wire.PoolEntry(pool_handle=HANDLE, pool_elements=[moved, new])
    peer.say(wire.HandleTableResponse(sender=5, receiver=77, pools=[entry]))
    assert [server.handlespace.find(HANDLE, n) for n in (1, 2)] == [moved, new]


@requirement("ENRP-112")
@requirement("ENRP-087")
def test_what_a_server_states_of_itself_is_what_a_peer_computes(make_server, make_peer, register):
    server, other = make_server(), make_server()
    other.node.identifier = 88
    peer, far = make_peer(server, 88), make_peer(other, 77)
    for number, handle in ((1, b"pool"), (70_000, b"a pool"), (3, b"x")):
        register(server, number, handle=handle)
        for update in peer.take(wire.HandleUpdate):
            far.say(update)
        stated = server.peers.make_presence(0).pe_checksum
        assert stated == other.handlespace.checksum(77) != 0xFFFF
        assert other.handlespace.checksum(88) == 0xFFFF


@requirement("ENRP-008")
@requirement("ENRP-087")
@requirement("ENRP-093")
def test_every_presence_carries_the_sum(clock, make_server, make_peer, register, element):
    server = make_server(expire_registrations=False, keep_alive_interval=1000, announce=True)
    peer, silent = make_peer(server, 5), make_peer(server, 50)
    members = []

    def more():
        """Another element, and the sum with it."""
        number = 0x01020304 * (len(members) + 1)
        register(server, number)
        members.append((HANDLE, number))
        peer.take()
        return sum_by_hand(*members)

    expected = more()
    [answer] = peer.say(peer.presence(None, reply_required=True))
    assert answer.pe_checksum == expected
    expected = more()
    stranger = make_peer(server, 6, known=False)
    asked = [m for m in stranger.say(stranger.add(element(1))) if isinstance(m, wire.Presence)]
    assert [m.pe_checksum for m in asked] == [expected]
    stranger.say(stranger.presence(None))
    expected = more()
    peer.say(wire.InitTakeover(sender=5, receiver=77, target=77))
    alive = stranger.take(wire.Presence)
    assert [m.pe_checksum for m in alive] == [expected]
    clock.run_until(29)
    expected = more()
    clock.run_until(31)
    assert [m.pe_checksum for m in peer.take(wire.Presence)] == [expected]
    announced = [d for ppid, d in server.host.announced if ppid == wire.PPID_ENRP]
    assert wire.decode(announced[-1], "enrp").pe_checksum == expected
    clock.run_until(60.5)
    expected = more()
    silent.take()
    clock.run_until(61.1)
    [asked] = [m for m in silent.take(wire.Presence) if m.reply_required]
    assert asked.pe_checksum == expected


@requirement("ENRP-101")
@pytest.mark.parametrize("end", ["refusal", "silence"])
def test_nothing_is_removed_on_incomplete_knowledge(clock, make_server, make_peer, element, end):
    server = make_server()
    peer = make_peer(server, 5)
    peer.say(peer.add(element(1)))
    asked = peer.say(peer.presence(own_checksum(element(2))))
    assert len(asked) == 1
    if end == "refusal":
        peer.say(wire.HandleTableResponse(sender=5, receiver=77, reject=True))
    else:
        clock.run_until(5.1)
    assert server.handlespace.find(HANDLE, 1) is not None
    assert server.handlespace.sweep(5) == []
    assert peer.say(peer.presence(own_checksum(element(2)))) == asked


def test_one_session_with_a_peer_at_a_time(make_server, make_peer, element):
    server = make_server()
    peer = make_peer(server, 5)
    assert len(peer.say(peer.presence(own_checksum(element(2))))) == 1
    assert peer.say(peer.presence(own_checksum(element(2)))) == []


@requirement("ENRP-095")
def test_the_order_of_elements_does_not_matter(element):
    elements = [element(number) for number in (1, 70_000, 3)]
    assert own_checksum(*elements) == own_checksum(*reversed(elements))


@requirement("ENRP-091")
@requirement("ENRP-092")
def test_known_checksums(element):
    space = Handlespace()
    assert space.checksum(5) == 0xFFFF
    space.add(b"EchoPool", element(1), home_server=5)
    assert space.checksum(5) == 0x9250


def sum_by_hand(*elements):
    """RFC 5353 3.6.2 and RFC 1071, word by word."""
    data = b"".join(
        handle + bytes(-len(handle) % 4) + identifier.to_bytes(4) for handle, identifier in elements
    )
    total = 0
    for at in range(0, len(data), 2):
        total += int.from_bytes(data[at : at + 2])
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@requirement("ENRP-086")
@requirement("ENRP-091")
@requirement("ENRP-092")
@requirement("ENRP-093")
@requirement("ENRP-094")
def test_sums_are_those_of_rfc_1071_after_each_change(element):
    space = Handlespace()
    members = {5: [], 6: []}

    def check():
        for owner, elements in members.items():
            assert space.checksum(owner) == sum_by_hand(*elements)

    names = [b"p", b"pool", b"\xff\xff\xff", b"a longer handle", b"\xff" * 40]
    keys = [(name, n) for name in names for n in (1, 0xFFFF, 0x10000, 0xFFFFFFFF, 0xDEADBEEF)]
    for number, (handle, identifier) in enumerate(keys):
        owner = 5 + number % 2
        space.add(handle, element(identifier), home_server=owner)
        members[owner].append((handle, identifier))
        check()
    # A change of hands, a renewal, and the end.
    for handle, identifier in keys[::3]:
        [owner] = [o for o, elements in members.items() if (handle, identifier) in elements]
        space.add(handle, element(identifier), home_server=11 - owner)
        members[owner].remove((handle, identifier))
        members[11 - owner].append((handle, identifier))
        check()
    for handle, identifier in keys:
        space.remove(handle, identifier)
        for elements in members.values():
            if (handle, identifier) in elements:
                elements.remove((handle, identifier))
        check()
    assert space.checksum(5) == space.checksum(6) == 0xFFFF


def claim(peer, element):
    """The peer's table lists an element as its own."""
    peer.say(peer.presence(own_checksum(element, owner=peer.identifier)))
    pool = wire.PoolEntry(
        pool_handle=HANDLE, pool_elements=[element.replace(home_server=peer.identifier)]
    )
    return peer.say(wire.HandleTableResponse(sender=peer.identifier, receiver=77, pools=[pool]))


def test_of_two_that_claim_an_element_the_higher_identifier_keeps_it(
    make_server, make_peer, register, element
):
    server = make_server()
    lower, higher = make_peer(server, 5), make_peer(server, 99)
    register(server, 1)
    lower.take()
    told = [m for m in claim(lower, element(1)) if isinstance(m, wire.HandleUpdate)]
    assert [m.pool_element.home_server for m in told] == [77]
    assert server.handlespace.find(HANDLE, 1).home_server == 77
    claim(higher, element(1))
    assert server.handlespace.find(HANDLE, 1).home_server == 99
    assert server.store.own(HANDLE, 1) is None


def test_who_keeps_an_element_tells_it(clock, make_server, make_peer, register, element):
    server = make_server()
    peer = make_peer(server, 5)
    channel, _ = register(server, 1)
    claim(peer, element(1))
    clock.run_until(0.1)
    [keep_alive] = channel.take()
    assert keep_alive.home


@requirement("ENRP-086")
def test_divergence_that_the_checksum_cannot_see_stays(make_server, make_peer, element):
    """Load, life and addresses are not in the sum (RFC 5353 3.6.2)."""
    server = make_server()
    peer = make_peer(server, 5)
    peer.say(peer.add(element(1, life=10)))
    assert peer.say(peer.presence(own_checksum(element(1, life=20)))) == []
    assert server.handlespace.find(HANDLE, 1).registration_life == 10
