# varde_add_rule(R-001 SOURCES rule.cpp TESTS rule_test.cpp)
#
# The plugin   ${CMAKE_BINARY_DIR}/plugins/R-001.so, with rule.yaml beside it as R-001.yaml. It exports its entry and nothing else.
# Its tests    ${CMAKE_BINARY_DIR}/plugins/R-001_test, the rule compiled in, registered with ctest as rule.R-001. `varde test
#              plugins/R-001` runs that file where it exists. Tests have the sanitizers of the build, the plugin never has:
#              the worker that loads it has none either.
#
# varde_add_job(J-hello SOURCES job.cpp TESTS job_test.cpp [FOLDER folder])
#
# The same for a job (varde/job.h), without a yaml; its tests are job.J-hello. FOLDER: where both are built, and then not installed.
function(varde_add_rule id)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;TESTS")
    set(folder ${CMAKE_BINARY_DIR}/plugins)
    varde_plugin_library(rule ${id} ${folder} ${arg_SOURCES})
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/rule.yaml)
        add_custom_command(OUTPUT ${folder}/${id}.yaml DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/rule.yaml
            COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_SOURCE_DIR}/rule.yaml ${folder}/${id}.yaml VERBATIM)
        target_sources(rule_${id} PRIVATE ${folder}/${id}.yaml)
        install(FILES ${folder}/${id}.yaml DESTINATION lib/varde/plugins COMPONENT plugins)
    endif()
    install(TARGETS rule_${id} LIBRARY DESTINATION lib/varde/plugins COMPONENT plugins)
    varde_plugin_tests(rule ${id} ${folder} "${arg_SOURCES}" "${arg_TESTS}")
endfunction()

function(varde_add_job id)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "FOLDER" "SOURCES;TESTS")
    set(folder ${CMAKE_BINARY_DIR}/plugins)
    if(arg_FOLDER)
        set(folder ${arg_FOLDER})
    endif()
    varde_plugin_library(job ${id} ${folder} ${arg_SOURCES})
    if(NOT arg_FOLDER)
        install(TARGETS job_${id} LIBRARY DESTINATION lib/varde/plugins COMPONENT plugins)
    endif()
    varde_plugin_tests(job ${id} ${folder} "${arg_SOURCES}" "${arg_TESTS}")
endfunction()

# What both have in common. `kind`: rule or job.
function(varde_plugin_library kind id folder)
    if(NOT id MATCHES "^[A-Za-z0-9._-]+$")
        message(FATAL_ERROR "varde_add_${kind}: '${id}' is not a ${kind} id: letters, digits, '.', '_' and '-'")
    endif()
    set(plugin ${kind}_${id})
    set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${kind}.map)
    add_library(${plugin} MODULE ${ARGN})
    target_link_libraries(${plugin} PRIVATE varde::plugin_api)
    if(TARGET varde_warnings)
        target_link_libraries(${plugin} PRIVATE varde_warnings)
    endif()
    set_target_properties(${plugin} PROPERTIES
        PREFIX "" SUFFIX .so OUTPUT_NAME ${id} LIBRARY_OUTPUT_DIRECTORY ${folder} LINK_DEPENDS ${map}
        C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
    target_compile_features(${plugin} PRIVATE cxx_std_20)
    target_compile_options(${plugin} PRIVATE -fno-omit-frame-pointer -fno-sanitize=all
        $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
    target_link_options(${plugin} PRIVATE -fno-sanitize=all -Wl,-z,defs -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack
        -Wl,--build-id=sha1 -Wl,--version-script=${map})
endfunction()

function(varde_plugin_tests kind id folder sources test_sources)
    if(test_sources AND (NOT DEFINED VARDE_TESTS OR VARDE_TESTS))
        set(tests ${id}_test)
        add_executable(${tests} ${sources} ${test_sources})
        set_target_properties(${tests} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${folder})
        target_compile_features(${tests} PRIVATE cxx_std_20)
        target_link_libraries(${tests} PRIVATE varde::plugin_api)
        if(TARGET varde_options)
            target_link_libraries(${tests} PRIVATE varde_options)
        endif()
        add_test(NAME ${kind}.${id} COMMAND ${tests})
        set_tests_properties(${kind}.${id} PROPERTIES TIMEOUT 60 LABELS ${kind})
    endif()
endfunction()
