# Runs PROGRAM and compares what it prints with the frozen TABLE.
execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE now RESULT_VARIABLE result)
file(READ ${TABLE} frozen)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "a struct of varde/rule.h has a hole, or a field that tests/abi/offsets.c does not list")
endif()
if(NOT now STREQUAL frozen)
    file(WRITE ${PROGRAM}.txt "${now}")
    message(FATAL_ERROR "the layout of varde/rule.h changed: diff ${TABLE} ${PROGRAM}.txt. Before the freeze: copy the new table and "
                        "write the change into plugin-api/CHANGES.md. After it: this breaks every plugin that exists.")
endif()
