# libsoci-dev has neither a CMake package nor a .pc file. Targets: SOCI::core, SOCI::sqlite3, SOCI::postgresql.
find_path(SOCI_INCLUDE_DIR soci/soci.h)
find_library(SOCI_core_LIBRARY soci_core)
find_library(SOCI_sqlite3_LIBRARY soci_sqlite3)
find_library(SOCI_postgresql_LIBRARY soci_postgresql)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SOCI REQUIRED_VARS SOCI_INCLUDE_DIR SOCI_core_LIBRARY SOCI_sqlite3_LIBRARY
                                                     SOCI_postgresql_LIBRARY)
if(SOCI_FOUND AND NOT TARGET SOCI::core)
    foreach(part IN ITEMS core sqlite3 postgresql)
        add_library(SOCI::${part} UNKNOWN IMPORTED)
        # The headers are in /usr/include itself: naming it as an include directory would break #include_next (seen).
        set_target_properties(SOCI::${part} PROPERTIES IMPORTED_LOCATION ${SOCI_${part}_LIBRARY})
    endforeach()
    target_link_libraries(SOCI::sqlite3 INTERFACE SOCI::core)
    target_link_libraries(SOCI::postgresql INTERFACE SOCI::core PostgreSQL::PostgreSQL)
endif()
