#pragma once
#include <cstdint>

namespace varde::worker {

/// What a worker may ask of the kernel, as rules for libseccomp. Compiled into filters when varde-worker is built (filter_compiler.cpp):
/// that would be a third of a worker's start.
///   load  for dlopen and a library's constructors: as `run`, but files may be opened for reading (Landlock still refuses every path;
///         /proc/self/fd of the sealed memfd is none) and mapped executable.
///   run   for create, evaluate and destroy: memory, clocks, the two pipes, standard error.
/// Not listed: SIGSYS with the number of the call, so that the operator is told which one. open and stat: EACCES, because C and C++
/// run times probe files and cope. clone3: ENOSYS, then clone: SIGSYS. Another architecture's calls: the process is killed.
class FilterRules {
  public:
    enum class Stage { load, run };
    explicit FilterRules(Stage stage);
    ~FilterRules();
    FilterRules(const FilterRules&) = delete;
    FilterRules& operator=(const FilterRules&) = delete;

    /// Writes the filter's instructions (struct sock_filter). False: errno says why.
    [[nodiscard]] bool write_to(int fd) const;

  private:
    void allow_memory();
    void allow_pipes();
    void allow_files_of_load();
    void deny_files_softly();
    void allow_process_facts();
    void add(unsigned action, int call);
    template <class... Conditions>
    void add_if(unsigned action, int call, Conditions... conditions);

    void* context_;
    Stage stage_;
};

}  // namespace varde::worker
