# The version is the installed header's. Before 1.0 a minor version may break, so it must be the same one.

file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/../../../include/ottla.h" _ottla_line
    REGEX "^#define OTTLA_VERSION \"")
string(REGEX REPLACE ".*\"([0-9.]+)\".*" "\\1" PACKAGE_VERSION "${_ottla_line}")

# What must be equal for two versions to fit: "1" of 1.4.2, "0.3" of 0.3.1.
set(_ottla_family "^([1-9][0-9]*|0\\.[0-9]+)")
string(REGEX MATCH "${_ottla_family}" _ottla_have "${PACKAGE_VERSION}")
string(REGEX MATCH "${_ottla_family}" _ottla_want "${PACKAGE_FIND_VERSION}")
set(PACKAGE_VERSION_COMPATIBLE FALSE)
set(PACKAGE_VERSION_EXACT FALSE)
if(PACKAGE_FIND_VERSION VERSION_LESS_EQUAL PACKAGE_VERSION AND _ottla_want STREQUAL _ottla_have)
    set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
endif()
