#pragma once
#include "wire/message.hpp"

#include <cxxabi.h>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>

namespace varde::worker {

/// The exception being handled, as a Fault: bad_alloc is out_of_memory, everything else exception_escaped with its type and text.
/// Call inside a catch block.
inline wire::Fault fault_of_current_exception(const char* function) noexcept {
    try {
        const std::type_info* type = abi::__cxa_current_exception_type();
        int status = 0;
        char* readable = type == nullptr ? nullptr : abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
        std::string text =
            std::string{function} + " let an exception out: " + (readable == nullptr ? "of unknown type" : readable);
        std::free(readable);
        try {
            throw;
        } catch (const std::bad_alloc&) {
            return {wire::FaultReason::out_of_memory, {}, "memory_mb is used up"};
        } catch (const std::exception& error) {
            text += std::string{": "} + error.what();
        } catch (...) {
        }
        return {wire::FaultReason::exception_escaped, {}, std::move(text)};
    } catch (...) {
        return {wire::FaultReason::out_of_memory, {}, {}};
    }
}

}  // namespace varde::worker
