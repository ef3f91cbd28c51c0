# Installs the build into an empty prefix, builds the consumer against that
# and runs it.  -D BUILD= -D SOURCE= -D WORK= -D GENERATOR= -D COMPILER=
file(REMOVE_RECURSE "${WORK}")
foreach(step
    "--install|${BUILD}|--prefix|${WORK}/prefix"
    "-S|${SOURCE}|-B|${WORK}/build|-G|${GENERATOR}|-DCMAKE_CXX_COMPILER=${COMPILER}|-DCMAKE_PREFIX_PATH=${WORK}/prefix"
    "--build|${WORK}/build")
  string(REPLACE "|" ";" step "${step}")
  execute_process(COMMAND "${CMAKE_COMMAND}" ${step}
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endforeach()
foreach(program consumer client_consumer)
  execute_process(COMMAND "${WORK}/build/${program}"
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
