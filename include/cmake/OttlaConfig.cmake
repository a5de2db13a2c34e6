# find_package(Ottla) gives
#   ottla::ottla         the shared library and ottla.h
#   ottla::ottla_static  the static library and ottla.h
#   ottla::ottlapp       ottla.hpp over ottla::ottla
# of the installation that this file belongs to. A library that is not installed has no target.

get_filename_component(_ottla_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(_ottla_where
    PATHS "${_ottla_prefix}"
    PATH_SUFFIXES "lib/${CMAKE_LIBRARY_ARCHITECTURE}" lib lib64
    NO_DEFAULT_PATH)
set(_ottla_static_name "${CMAKE_STATIC_LIBRARY_PREFIX}ottla${CMAKE_STATIC_LIBRARY_SUFFIX}")
set(_ottla_shared_name "${CMAKE_SHARED_LIBRARY_PREFIX}ottla${CMAKE_SHARED_LIBRARY_SUFFIX}")

find_path(OTTLA_INCLUDE_DIR ottla.h PATHS "${_ottla_prefix}/include" NO_DEFAULT_PATH)
find_library(OTTLA_SHARED_LIBRARY NAMES "${_ottla_shared_name}" ${_ottla_where})
find_library(OTTLA_STATIC_LIBRARY NAMES "${_ottla_static_name}" ${_ottla_where})
if(WIN32)
    # The shared library is a DLL there, which programs link through its import library.
    find_library(OTTLA_IMPORT_LIBRARY NAMES ottla.dll ${_ottla_where})
endif()
mark_as_advanced(OTTLA_INCLUDE_DIR OTTLA_SHARED_LIBRARY OTTLA_STATIC_LIBRARY OTTLA_IMPORT_LIBRARY)

function(_ottla_target name kind location)
    if(TARGET ottla::${name} OR NOT location)
        return()
    endif()
    add_library(ottla::${name} ${kind} IMPORTED)
    set_target_properties(ottla::${name} PROPERTIES
        IMPORTED_LOCATION "${location}"
        INTERFACE_INCLUDE_DIRECTORIES "${OTTLA_INCLUDE_DIR}")
endfunction()

_ottla_target(ottla SHARED "${OTTLA_SHARED_LIBRARY}")
_ottla_target(ottla_static STATIC "${OTTLA_STATIC_LIBRARY}")

if(TARGET ottla::ottla AND OTTLA_IMPORT_LIBRARY)
    set_target_properties(ottla::ottla PROPERTIES IMPORTED_IMPLIB "${OTTLA_IMPORT_LIBRARY}")
endif()

if(TARGET ottla::ottla_static)
    include(CMakeFindDependencyMacro)
    find_dependency(Threads)
    set(_ottla_system Threads::Threads ${CMAKE_DL_LIBS})
    if(WIN32)
        list(APPEND _ottla_system ws2_32 bcrypt ntdll userenv)
    elseif(NOT APPLE)
        list(APPEND _ottla_system m gcc_s)
    endif()
    set_target_properties(ottla::ottla_static PROPERTIES
        INTERFACE_LINK_LIBRARIES "${_ottla_system}")
endif()

if(TARGET ottla::ottla AND NOT TARGET ottla::ottlapp)
    add_library(ottla::ottlapp INTERFACE IMPORTED)
    set_target_properties(ottla::ottlapp PROPERTIES
        INTERFACE_LINK_LIBRARIES ottla::ottla
        INTERFACE_COMPILE_FEATURES cxx_std_17)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Ottla
    REQUIRED_VARS OTTLA_INCLUDE_DIR
    VERSION_VAR Ottla_VERSION)
