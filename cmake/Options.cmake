# How everything of ours is compiled: warnings as errors, the sanitizer of the preset, ccache and mold where they are installed.
find_program(VARDE_CCACHE ccache)
if(VARDE_CCACHE)
    # The sloppiness is what ccache asks for where headers are precompiled.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${VARDE_CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${VARDE_CCACHE})
endif()
find_program(VARDE_MOLD mold)
if(VARDE_MOLD)
    add_link_options(-fuse-ld=mold)
endif()

# What every target of ours gets, also varde-worker and the plugins.
add_library(varde_warnings INTERFACE)
# -Wrestrict: GCC 12 invents overlaps in std::string at -O2 (GCC bug 105651).
target_compile_options(varde_warnings INTERFACE -Wall -Wextra -Wpedantic -Werror
                                                $<$<COMPILE_LANGUAGE:CXX>:-Wshadow -Wnon-virtual-dtor -Wno-restrict>)

# What the host and the tests get on top: the sanitizer of the preset.
add_library(varde_options INTERFACE)
target_link_libraries(varde_options INTERFACE varde_warnings)
if(VARDE_SANITIZE STREQUAL "address")
    set(VARDE_SANITIZER_FLAGS -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
elseif(VARDE_SANITIZE STREQUAL "thread")
    set(VARDE_SANITIZER_FLAGS -fsanitize=thread -fno-omit-frame-pointer)
    # -Wtsan: Boost and libstdc++ use fences, which GCC's ThreadSanitizer does not follow (a false alarm would show in a test).
    # -Wmaybe-uninitialized: with the instrumentation GCC 12 sees uninitialised members in std::variant where there are none.
    target_compile_options(varde_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-tsan -Wno-maybe-uninitialized>)
elseif(NOT VARDE_SANITIZE STREQUAL "")
    message(FATAL_ERROR "VARDE_SANITIZE is '${VARDE_SANITIZE}'; it can be address, thread or empty")
endif()
if(VARDE_SANITIZER_FLAGS)
    target_compile_options(varde_options INTERFACE ${VARDE_SANITIZER_FLAGS})
    target_link_options(varde_options INTERFACE ${VARDE_SANITIZER_FLAGS})
endif()
option(VARDE_COVERAGE "Instrument for gcov" OFF)
if(VARDE_COVERAGE)
    target_compile_options(varde_options INTERFACE --coverage)
    target_link_options(varde_options INTERFACE --coverage)
endif()
