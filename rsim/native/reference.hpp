// Objects that count who refers to them, and what refers to them. All of it happens in one thread at a time.
#pragma once

#include <cstdint>
#include <utility>

namespace rsim {

template <class Type>
class Ref {
public:
    Ref() = default;
    explicit Ref(Type* object) : object_(object) {
        if (object_) ++object_->references;
    }
    Ref(const Ref& other) : Ref(other.object_) {}
    Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Ref() {
        if (object_ && --object_->references == 0) delete object_;
    }

    Type* get() const { return object_; }
    Type* operator->() const { return object_; }
    Type& operator*() const { return *object_; }
    explicit operator bool() const { return object_ != nullptr; }

private:
    Type* object_ = nullptr;
};

}  // namespace rsim
