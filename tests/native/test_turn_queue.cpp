// Turns of weighted round robin against an ordered set of all elements: pools so large that they form chains, and small.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <tuple>
#include <vector>

#include "check.hpp"
#include "handlespace/turn_queue.hpp"

using namespace rsim;
using namespace rsim::handlespace;

namespace {

using Key = std::tuple<std::uint64_t, std::uint64_t>;  // turn, sequence

// What a turn queue does, element by element.
struct Plain {
    std::map<Key, Element*> order;
    std::map<Element*, std::pair<Key, std::uint32_t>> known;
    std::uint64_t now = 0;
    std::uint64_t last = 0;
    Element* served = nullptr;  // the last one, if it is there still

    void put(Element& element, std::uint64_t turn, std::uint32_t weight) {
        const Key key{turn, last++};
        order[key] = &element;
        known[&element] = {key, weight};
    }
    void remove(Element& element) {
        order.erase(known[&element].first);
        known.erase(&element);
        if (served == &element) served = nullptr;
    }
    void update(Element& element, std::uint32_t weight) {
        const auto [key, old] = known[&element];
        if (old == weight) return;
        const bool on_time = std::get<0>(key) == Turns::first(old, now);
        remove(element);
        const std::uint64_t first = Turns::first(weight, now);
        put(element, on_time ? first : Turns::following(weight, first), weight);
    }
    void advance(std::size_t count) {
        std::vector<Element*> first;
        for (auto at = order.begin(); first.size() < count; ++at) first.push_back(at->second);
        if (count > 0 && known[first[0]].second > 0) now = std::get<0>(known[first[0]].first);
        for (Element* element : first) {
            const auto [key, weight] = known[element];
            remove(*element);
            put(*element, Turns::following(weight, std::get<0>(key)), weight);
            served = element;
        }
    }
};

void set_weight(Element& element, std::uint32_t weight) { wire::store32(element.content.policy.data.data(), weight); }

// `usual`: elements that there are in the long run, between times of many and times of few.
void takes_turns_as_each_by_itself(std::size_t usual, std::vector<std::uint32_t> weights) {
    std::mt19937_64 words(usual);
    TurnQueue turns;
    Plain plain;
    std::vector<std::unique_ptr<Element>> elements;
    const auto any_weight = [&] { return weights[words() % weights.size()]; };
    for (int step = 0; step < 20000; ++step) {
        const std::size_t wanted = step / 5000 % 2 ? 5 : usual;
        const std::size_t what = words() % 10;
        if (elements.size() < wanted / 2 + 1 || (what < 3 && elements.size() < wanted)) {
            wire::PoolElement content;
            content.policy.data.resize(4);
            Element& element = *elements.emplace_back(std::make_unique<Element>(content));
            set_weight(element, any_weight());
            plain.put(element, Turns::first(element.content.policy.word(0), plain.now), element.content.policy.word(0));
            turns.insert(element);
        } else if (what == 0 || (what < 6 && elements.size() > wanted)) {
            std::swap(elements[words() % elements.size()], elements.back());
            plain.remove(*elements.back());
            turns.remove(*elements.back());
            elements.pop_back();
        } else if (what == 1) {
            Element& element = plain.served && words() % 2 ? *plain.served : *elements[words() % elements.size()];
            set_weight(element, any_weight());
            plain.update(element, element.content.policy.word(0));
            turns.update(element);
        } else {
            const std::size_t count = std::min<std::size_t>(words() % 8 ? 1 : words() % 12, elements.size());
            plain.advance(count);
            turns.advance(count);
        }
        const std::size_t count = words() % 100 ? words() % 20 : elements.size() + 1;
        std::vector<Element*> seen;
        turns.next(count, seen);
        CHECK(seen.size() == std::min(count, elements.size()));
        CHECK(std::equal(seen.begin(), seen.end(), plain.order.begin(),
                         [](Element* one, const auto& other) { return one == other.second; }));
        if (failures) return;
    }
}

}  // namespace

int main() {
    for (const std::size_t usual : {3, 40, 260, 1000})
        for (const auto& weights : {std::vector<std::uint32_t>{1}, {1, 2, 3, 7}, {0, 1, 5}, {0}, {100, 99, 98, UINT32_MAX}})
            takes_turns_as_each_by_itself(usual, weights);
    return failures != 0;
}
