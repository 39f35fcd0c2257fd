# find_package(varde_plugin_api) gives the target varde::plugin_api and the function varde_add_rule().
include(${CMAKE_CURRENT_LIST_DIR}/varde_plugin_api-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/VardeRule.cmake)
