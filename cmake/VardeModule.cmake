# The whole architecture is this list: which host module may include and link which. A wrong edge stops configure here, a wrong
# #include fails tests/architecture. See docs/architecture.md.
set(VARDE_ALLOWED_core "")
set(VARDE_ALLOWED_time "core")
set(VARDE_ALLOWED_ports "core")
set(VARDE_ALLOWED_wire "core")
set(VARDE_ALLOWED_deviation "core")
set(VARDE_ALLOWED_config "core;time")
set(VARDE_ALLOWED_ingest "core;time;ports;config")
set(VARDE_ALLOWED_store "core;time;ports;config")
set(VARDE_ALLOWED_schedule "core;time;ports;config;deviation")
set(VARDE_ALLOWED_evaluate "core;time;ports;config;wire")
set(VARDE_ALLOWED_plugins "core;ports;config")
set(VARDE_ALLOWED_api "core;time;ports;config;deviation")
set(VARDE_ALLOWED_observe "core;time;ports;config")
set(VARDE_ALLOWED_worker "wire")
set(VARDE_ALLOWED_app "core;time;ports;config;deviation;ingest;store;schedule;evaluate;plugins;api;observe;wire")

# Compiles the slow headers of libraries once for all files of a target, in debug builds: release shows includes that are missing, and
# GCC 12 at -O2 warns of overflows inside the standard library once it comes precompiled.
function(varde_precompile target)
    if(ARGN AND CMAKE_BUILD_TYPE STREQUAL "Debug")
        target_precompile_headers(${target} PRIVATE ${ARGN})
        target_compile_options(${target} PRIVATE -fpch-preprocess)  # without it ccache does not see them
    endif()
endfunction()

# varde_module(NAME SOURCES a.cpp HEADERS a.hpp DEPENDS core LIBRARIES fmt::fmt PUBLIC_LIBRARIES tl::expected
#              PRECOMPILE <slow/header.hpp>)
# One folder of host/ as the static library varde::NAME. File lists are explicit, never globbed.
function(varde_module name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS;DEPENDS;LIBRARIES;PUBLIC_LIBRARIES;PRECOMPILE")
    foreach(dep IN LISTS arg_DEPENDS)
        if(NOT dep IN_LIST VARDE_ALLOWED_${name})
            message(FATAL_ERROR "host/${name} must not depend on host/${dep}; see docs/architecture.md")
        endif()
    endforeach()
    list(TRANSFORM arg_DEPENDS PREPEND varde::)
    add_library(varde_${name} STATIC ${arg_SOURCES})
    add_library(varde::${name} ALIAS varde_${name})
    target_sources(varde_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/host FILES ${arg_HEADERS})
    target_include_directories(varde_${name} PUBLIC ${PROJECT_SOURCE_DIR}/host)
    target_link_libraries(varde_${name} PUBLIC ${arg_DEPENDS} ${arg_PUBLIC_LIBRARIES} varde_options PRIVATE ${arg_LIBRARIES})
    set_target_properties(varde_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
    varde_precompile(varde_${name} ${arg_PRECOMPILE})
endfunction()

# varde_unit_test(MODULE a_test.cpp ... [LIBRARIES extra] [PRECOMPILE <slow/header.hpp>])
# Links that module alone, so that an undeclared edge fails to link.
function(varde_unit_test module)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBRARIES;PRECOMPILE")
    add_executable(unit_${module} ${arg_UNPARSED_ARGUMENTS})
    varde_precompile(unit_${module} ${arg_PRECOMPILE})
    target_include_directories(unit_${module} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(unit_${module} PRIVATE varde::${module} varde_doctest_main ${arg_LIBRARIES})
    add_test(NAME unit.${module} COMMAND unit_${module})
    set_tests_properties(unit.${module} PROPERTIES TIMEOUT 120 LABELS unit)
endfunction()
