# SPDX-License-Identifier: Apache-2.0

# Flags that every target of the project is compiled with. Warnings become errors only through the standard
# CMAKE_COMPILE_WARNING_AS_ERROR (set by the CI presets), so that a newer compiler never breaks a newcomer's build.
add_library(avow_options INTERFACE)
target_compile_options(avow_options INTERFACE -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor
                                              -Wold-style-cast -Wimplicit-fallthrough
                                              # Of clang it is triggered by every default comparison (operator<=>).
                                              $<$<CXX_COMPILER_ID:GNU>:-Wzero-as-null-pointer-constant>)
target_include_directories(avow_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
# Instruction sets that SIMD files are not compiled for: scalable vectors, which cannot be array elements (machines with
# SVE also have NEON), and SSE without AVX2, which would gain little over portable code and costs every build its time.
target_compile_definitions(
  avow_options INTERFACE
  "HWY_DISABLED_TARGETS=(HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128|HWY_SSSE3|HWY_SSE4)")
if(AVOW_SANITIZE)
  target_compile_definitions(avow_options INTERFACE AVOW_SANITIZED)
  set(sanitize -fsanitize=${AVOW_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  if(AVOW_NO_SANITIZE)
    list(APPEND sanitize -fno-sanitize=${AVOW_NO_SANITIZE})
  endif()
  # Of the target that is compiled: see avow_only_read().
  target_compile_options(avow_options INTERFACE "$<$<NOT:$<BOOL:$<TARGET_PROPERTY:AVOW_ONLY_READ>>>:${sanitize}>")
  target_link_options(avow_options INTERFACE -fsanitize=${AVOW_SANITIZE})
endif()
if(AVOW_FUZZ)
  # The fuzzers themselves link libFuzzer's main (fuzz/CMakeLists.txt).
  target_link_options(avow_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# avow_unity(<target>)
# What a target needs for presets that compile its files joined (CMAKE_UNITY_BUILD), which parses and checks the headers
# once. Files that compile themselves once per instruction set stay alone, and so do, by CMake's rules, files with flags
# of their own. The line before each file is for clang-tidy, to which an included .cpp is suspicious.
function(avow_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD_CODE_BEFORE_INCLUDE
                                             "// NOLINTNEXTLINE(bugprone-suspicious-include)")
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    file(STRINGS ${source} per_target REGEX "define HWY_TARGET_INCLUDE")
    if(per_target)
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
endfunction()

# avow_only_read(<target> <folder>)
# Whether this build runs nothing of the target (AVOW_ONLY_READ): compilers and clang-tidy are to read it, and what they
# make of it need neither be fast nor sanitized, which is most of the time that compiling takes.
function(avow_only_read target folder)
  if(folder IN_LIST AVOW_ONLY_READ)
    set_target_properties(${target} PROPERTIES AVOW_ONLY_READ ON)
    target_compile_options(${target} PRIVATE -O0 -g0)
  endif()
endfunction()

# avow_test_code(<target>)
# What tests spend their time in is the libraries; their own code is many and large functions, run once, and all of it
# parses the same large headers. AVOW_COLD_FLAGS are for that code alone.
function(avow_test_code target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1> ${AVOW_COLD_FLAGS})
  if(NOT AVOW_TIDY_TESTS)
    set_target_properties(${target} PROPERTIES CXX_CLANG_TIDY "")
  endif()
  avow_join(${target})
endfunction()

# avow_join(<target>)
# avow_unity(), and joined in every preset that does not switch AVOW_JOIN off.
function(avow_join target)
  avow_unity(${target})
  if(AVOW_JOIN)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON)
  endif()
endfunction()

# avow_tests(<target> [suite...])
# A test of each of the target's, and one of each of these suites.
function(avow_tests target)
  list(TRANSFORM ARGN APPEND ".*" OUTPUT_VARIABLE suites)
  list(JOIN suites ":" others)
  gtest_discover_tests(${target} TEST_FILTER "-${others}" PROPERTIES TIMEOUT 600 DISCOVERY_TIMEOUT 60)
  foreach(suite ${ARGN})
    add_test(NAME ${target}.${suite} COMMAND ${target} --gtest_filter=${suite}.*)
    set_tests_properties(${target}.${suite} PROPERTIES TIMEOUT 1800)
  endforeach()
endfunction()

# avow_library(<folder> [DEPS lib...] [TEST_DEPS lib...] [BENCH_DEPS lib...] [TESTING_OF folder...]
#              [BENCH_TESTING file...] [SUITES suite...])
# One static library avow_<folder> of src/<folder>/*.cpp. Files ending in _test.cpp form the test <folder>_test, files
# ending in _bench.cpp the micro-benchmark <folder>_bench; *_testing.cpp are helpers linked into tests only;
# TESTING_OF names other folders whose helpers this folder's tests use, too; BENCH_TESTING the helpers of this folder
# that its benchmarks use; SUITES the suites whose tests are run by one process, as they share what takes long to make (a
# chain with contracts and a model).
function(avow_library folder)
  cmake_parse_arguments(ARG "" "" "DEPS;TEST_DEPS;BENCH_DEPS;TESTING_OF;BENCH_TESTING;SUITES" ${ARGN})
  set(dir ${PROJECT_SOURCE_DIR}/src/${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cpp)
  file(GLOB tests CONFIGURE_DEPENDS ${dir}/*_test.cpp)
  file(GLOB benches CONFIGURE_DEPENDS ${dir}/*_bench.cpp)
  file(GLOB testing CONFIGURE_DEPENDS ${dir}/*_testing.cpp)
  list(REMOVE_ITEM sources ${tests} ${benches} ${testing})
  foreach(other ${ARG_TESTING_OF})
    file(GLOB helpers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${other}/*_testing.cpp)
    list(APPEND testing ${helpers})
  endforeach()

  add_library(avow_${folder} STATIC ${sources})
  if(AVOW_SANITIZE)
    # SIMD files are compiled once per instruction set. At -O1 their thousands of small inlined functions keep their
    # variables in memory, each of which AddressSanitizer guards: minutes and gigabytes, where -O2 takes seconds.
    set(simd_options -O2)
    if(AVOW_SANITIZE MATCHES "undefined")
      # The checks of every pointer take minutes as well and find nothing that AddressSanitizer does not. Arithmetic is
      # checked as everywhere.
      list(APPEND simd_options -fno-sanitize=null,alignment,object-size,pointer-overflow,vptr)
    endif()
    file(GLOB simd ${dir}/*kernels.cpp ${dir}/*_batch.cpp)
    if(simd)
      set_source_files_properties(${simd} PROPERTIES COMPILE_OPTIONS "${simd_options}")
    endif()
  endif()
  target_link_libraries(avow_${folder} PUBLIC avow_options ${ARG_DEPS})
  avow_only_read(avow_${folder} ${folder})
  if(AVOW_FUZZ AND NOT folder IN_LIST AVOW_ONLY_READ)
    target_compile_options(avow_${folder} PRIVATE -fsanitize=fuzzer-no-link)  # coverage, which guides the fuzzers
  endif()
  set_target_properties(avow_${folder} PROPERTIES LINKER_LANGUAGE CXX)
  avow_unity(avow_${folder})

  if(AVOW_TESTED AND NOT folder IN_LIST AVOW_TESTED)
    set(tests)
  endif()
  if(AVOW_TESTS AND tests)
    add_executable(${folder}_test ${tests} ${testing})
    target_link_libraries(${folder}_test PRIVATE avow_${folder} ${ARG_TEST_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
    target_compile_definitions(${folder}_test PRIVATE AVOW_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    avow_test_code(${folder}_test)
    avow_tests(${folder}_test ${ARG_SUITES})
  endif()
  if(AVOW_BENCHMARKS AND benches)
    list(TRANSFORM ARG_BENCH_TESTING PREPEND ${dir}/)
    add_executable(${folder}_bench ${benches} ${ARG_BENCH_TESTING})
    target_link_libraries(${folder}_bench PRIVATE avow_${folder} ${ARG_BENCH_DEPS} benchmark::benchmark_main)
    avow_unity(${folder}_bench)
  endif()
endfunction()

# avow_embed_parameters(<target> <json> <header>)
# Turns a JSON file of objects, arrays and numbers into a C++ initializer that the target includes as <header>: keys
# become designators, brackets become braces.
function(avow_embed_parameters target json header)
  set(source ${PROJECT_SOURCE_DIR}/${json})
  set(output ${CMAKE_BINARY_DIR}/generated/${header})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} text)
  string(REGEX REPLACE "\"([a-z_0-9]+)\":" ".\\1 =" text "${text}")
  string(REPLACE "[" "{" text "${text}")
  string(REPLACE "]" "}" text "${text}")
  file(CONFIGURE OUTPUT ${output} CONTENT "// Generated from ${json}.\n@text@" @ONLY)
  target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated)
endfunction()

# avow_embed_texts(<target> <header> <file>...)
# Texts that are part of the program: the target includes <header> as the initializer of a list of {file, text}, where
# std::string_view_literals are used: lengths of literals are known, those of pointers would have to be counted.
function(avow_embed_texts target header)
  set(content "// Generated.\n")
  foreach(file ${ARGN})
    set(source ${PROJECT_SOURCE_DIR}/${file})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(READ ${source} text)
    string(APPEND content "{\"${file}\", R\"avow(${text})avow\"sv},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/${header} CONTENT "${content}" @ONLY)
  target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated)
endfunction()
