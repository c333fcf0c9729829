"""The selection policies a second time, in plain Python, as slow and simple as can be."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import numpy as np

FULL = 0xFFFFFFFF


class Words:
    """The draws that the native policies make of a numpy bit generator."""

    def __init__(self, seed: int) -> None:
        self.bits = np.random.PCG64(seed)

    def below(self, bound: int) -> int:
        """Uniform on 0 to bound - 1, by rejection."""
        reject = (1 << 64) % bound
        while (word := int(self.bits.random_raw())) < reject:
            pass
        return word % bound


@dataclass
class Member:
    """An element: identifier, policy values, and what selections leave behind."""

    identifier: int
    values: dict[str, int]
    steps: int = 0
    sequence: int = 0
    turn: tuple[int, int] = (0, 0)


@dataclass
class Settings:
    """As the native handlespace takes them."""

    increment: int = 1
    degradations_per_selection: int = 1
    degradations_at_registration: int = 0
    saturate: bool = False


@dataclass
class Pool:
    """What all policies share."""

    policy: str
    settings: Settings
    members: list[Member] = field(default_factory=list)
    clock: int = 0

    def find(self, identifier: int) -> Member | None:
        return next((m for m in self.members if m.identifier == identifier), None)

    def add(self, identifier: int, values: dict[str, int]) -> None:
        member = self.find(identifier)
        if member is None:
            member = Member(identifier, values, self.settings.degradations_at_registration)
            self.enter(member)
        else:
            member.values = values
            member.steps = self.settings.degradations_at_registration
            self.renew(member)

    def enter(self, member: Member) -> None:
        member.sequence = self.tick()
        self.members.append(member)

    def renew(self, member: Member) -> None:
        pass

    def remove(self, identifier: int) -> None:
        self.members.remove(self.find(identifier))

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def select(self, count: int, words: Words) -> list[int]:
        raise NotImplementedError("abstract")

    # Load as the policy sees it.

    def load(self, m: Member) -> int:
        v = m.values
        load = v["load"]
        if self.policy.removeprefix("randomized_").startswith("priority"):
            load += v["load_degradation"]
        if self.policy.removesuffix("_dpf").endswith("degradation"):
            load += m.steps * v["load_degradation"]
            if self.settings.saturate:
                load = min(load, FULL)
        if self.policy.endswith("dpf"):
            load += v["distance"] * v["load_dpf"]
        return load


class RoundRobin(Pool):
    """A list; an answer's first elements go to its end."""

    def select(self, count, words):
        chosen = self.members[:count]
        for _ in range(min(self.settings.increment, len(chosen))):
            self.members.append(self.members.pop(0))
        return [m.identifier for m in chosen]

    def remove(self, identifier):
        self.members = [m for m in self.members if m.identifier != identifier]


class Sorted(Pool):
    """Sorted anew for each answer."""

    def rank(self, m):
        return FULL - m.values["priority"] if self.policy == "priority" else self.load(m)

    def select(self, count, words):
        chosen = sorted(self.members, key=lambda m: (self.rank(m), m.sequence))[:count]
        for position, member in enumerate(chosen):
            member.steps += self.settings.degradations_per_selection
            if position < self.settings.increment:
                member.sequence = self.tick()
        return [m.identifier for m in chosen]


class WeightedRoundRobin(Pool):
    """Turn k of weight w is at (2k + 1) / (2w) of a round, in steps of 2^-32; equals by sequence.

    Who has had a turn that is still to come has to wait for as long under a new weight. The turns
    of weight 0 are after all rounds.
    """

    now = (0, 0)

    def first(self, weight, time):
        """The turn at `time` or the next one after it."""
        if weight == 0:
            return (inf, 0)
        number, place = time
        halves = -(-place * weight // 2**31)  # rounded up, as the place of a turn is rounded down
        k = max(0, -(-(halves - 1) // 2))
        return (
            (number, ((2 * k + 1) << 31) // weight) if k < weight else (number + 1, 2**31 // weight)
        )

    def following(self, weight, turn):
        return self.first(weight, (turn[0], turn[1] + 1))

    def enter(self, member):
        member.weight = member.values["weight"]
        member.turn = self.first(member.weight, self.now)
        super().enter(member)

    def renew(self, member):
        old, new = member.weight, member.values["weight"]
        if new != old:
            on_time = old == 0 or member.turn == self.first(old, self.now)
            member.weight, member.turn = new, self.first(new, self.now)
            if not on_time:
                member.turn = self.following(new, member.turn)
            member.sequence = self.tick()

    def select(self, count, words):
        chosen = sorted(self.members, key=lambda m: (m.turn, m.sequence))[:count]
        if chosen and chosen[0].weight > 0:
            self.now = chosen[0].turn
        for member in chosen[: self.settings.increment]:
            member.turn = self.following(member.weight, member.turn)
            member.sequence = self.tick()
        return [m.identifier for m in chosen]


def draw_uniform(members, count, words):
    """Draws without repeats, moving what was drawn to the front."""
    count = min(count, len(members))
    for i in range(count):
        other = i + words.below(len(members) - i)
        members[i], members[other] = members[other], members[i]
    return members[:count]


def take_out(members, member):
    """Removes an element; the last one takes its place."""
    last = members[-1]
    members[next(i for i, m in enumerate(members) if m is member)] = last
    members.pop()


class Random(Pool):
    """Uniform."""

    def select(self, count, words):
        return [m.identifier for m in draw_uniform(self.members, count, words)]

    def remove(self, identifier):
        take_out(self.members, self.find(identifier))


class Proportional(Pool):
    """In proportion to weights; elements of weight 0 only fill up."""

    def __init__(self, policy, settings):
        super().__init__(policy, settings)
        self.positive, self.zero = [], []
        self.weights = {}

    def find(self, identifier):
        both = self.positive + self.zero
        return next((m for m in both if m.identifier == identifier), None)

    def weight(self, m):
        if self.policy == "weighted_random":
            return m.values["weight"]
        if self.policy == "weighted_random_dpf":
            penalty = m.values["distance"] * m.values["weight_dpf"]
            if penalty >= FULL:
                return 1
            return max(1, m.values["weight"] * (FULL - penalty) // FULL)
        return FULL - min(self.load(m), FULL)

    def enter(self, member):
        self.weights[member.identifier] = self.weight(member)
        (self.positive if self.weights[member.identifier] else self.zero).append(member)

    def remove(self, identifier):
        member = self.find(identifier)
        take_out(self.positive if self.weights[identifier] else self.zero, member)

    def renew(self, member):
        old, new = self.weights[member.identifier], self.weight(member)
        if bool(old) != bool(new):
            self.remove(member.identifier)
            self.enter(member)
        self.weights[member.identifier] = new

    def select(self, count, words):
        chosen = []
        while len(chosen) < count:
            left = [(m, self.weights[m.identifier]) for m in self.positive if m not in chosen]
            total = sum(weight for _, weight in left)
            if total == 0:
                break
            point = words.below(total)
            for member, weight in left:
                if point < weight:
                    chosen.append(member)
                    break
                point -= weight
        chosen += draw_uniform(self.zero, count - len(chosen), words)
        for member in chosen:
            member.steps += self.settings.degradations_per_selection
            self.renew(member)
        return [m.identifier for m in chosen]


def make_pool(policy: str, settings: Settings) -> Pool:
    """The twin of a native policy."""
    if policy == "round_robin":
        return RoundRobin(policy, settings)
    if policy == "weighted_round_robin":
        return WeightedRoundRobin(policy, settings)
    if policy == "random":
        return Random(policy, settings)
    if "random" in policy:
        return Proportional(policy, settings)
    return Sorted(policy, settings)
