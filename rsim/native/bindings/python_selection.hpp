// A policy that is written in Python, behind the interface of the native ones.
#pragma once

#include <unordered_map>

#include "../handlespace/selection.hpp"
#include "common.hpp"

namespace rsim {

class PythonSelection final : public handlespace::Selection {
public:
    // Raises PolicyError if `policy` lacks a method of a selection policy.
    explicit PythonSelection(nb::object policy);

    void insert(handlespace::Element& element) override;
    void remove(handlespace::Element& element) override;
    void update(handlespace::Element& element) override;
    // Raises PolicyError for an answer other than the identifiers of at most `count` distinct elements.
    void select(std::size_t count, handlespace::Draws& draws, std::vector<handlespace::Element*>& chosen) override;

private:
    struct Known {
        handlespace::Element* element = nullptr;
        std::uint64_t chosen_in = 0;  // the last selection that listed it
    };

    [[noreturn]] void refuse(std::size_t count, const std::string& given) const;
    Known& known(nb::handle identifier, std::size_t count);

    nb::object policy_;
    std::unordered_map<std::uint32_t, Known> elements_;
    std::uint64_t selections_ = 0;
};

}  // namespace rsim
