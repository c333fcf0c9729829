"""Handlespaces compared whole, in a plain way."""

from rsim.scenario.auditor import Verdict

ALL = 1 << 30


def table(server):
    pools, _ = server.handlespace.table(limit=ALL, octets=ALL)
    return {(pool.pool_handle, e.identifier): e for pool in pools for e in pool.pool_elements}


def compare(servers):
    """Divergence, number of orphans and number of elements over servers that serve."""
    tables = {server.identifier: table(server) for server in servers if server.serving}
    keys = {key for entries in tables.values() for key in entries}
    orphans = differing = 0
    for key in keys:
        homes = [i for i, entries in tables.items() if key in entries]
        homes = [i for i in homes if tables[i][key].home_server == i]
        orphans += not homes
        for entries in tables.values():
            differing += not homes or entries.get(key) != tables[max(homes)][key]
    return differing / (len(keys) * len(tables)) if keys else 0.0, orphans, len(keys)


def lead(servers, auditor):
    """Entries that lead to a living element, and that do not; means over servers that serve."""
    serving = [server for server in servers if server.serving]
    if not serving:
        return 0.0, 0.0
    living = (Verdict.LIVING, Verdict.INSECURE)
    verdicts = [auditor.judge(e) in living for s in serving for e in table(s).values()]
    return sum(verdicts) / len(serving), (len(verdicts) - sum(verdicts)) / len(serving)
