# cmake -DVARDE_SOURCE=... -P wrong_edge_test.cmake: varde_module() must refuse an edge that cmake/VardeModule.cmake does not allow.
cmake_minimum_required(VERSION 3.25)
if(INNER)
    include(${VARDE_SOURCE}/cmake/VardeModule.cmake)
    varde_module(ingest SOURCES a.cpp DEPENDS core store)
    return()
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -DINNER=ON -DVARDE_SOURCE=${VARDE_SOURCE} -P ${CMAKE_CURRENT_LIST_FILE}
                RESULT_VARIABLE status ERROR_VARIABLE message OUTPUT_QUIET)
if(status EQUAL 0 OR NOT message MATCHES "host/ingest must not depend on host/store")
    message(FATAL_ERROR "a wrong edge was not refused (status ${status}): ${message}")
endif()
