#pragma once

namespace varde::worker {

/// A system call filter that is built early, while there is nothing to fear, and loaded later. Filters add up: the stricter answer
/// of all loaded ones counts, so nothing that runs after the first load can loosen it.
///   load  for dlopen and a library's constructors: as `run`, but files may be opened for reading (Landlock still refuses every path;
///         /proc/self/fd of the sealed memfd is none) and mapped executable.
///   run   for create, evaluate and destroy: memory, clocks, the two pipes, standard error.
/// Not listed: SIGSYS with the number of the call, so that the operator is told which one. open and stat: EACCES, because C and C++
/// run times probe files and cope. clone3: ENOSYS, then clone: SIGSYS. Another architecture's calls: the process is killed.
class SyscallFilter {
  public:
    enum class Stage { load, run };
    explicit SyscallFilter(Stage stage);
    ~SyscallFilter();
    SyscallFilter(const SyscallFilter&) = delete;
    SyscallFilter& operator=(const SyscallFilter&) = delete;

    /// Ends the process if the kernel refuses: a worker without a filter does not run.
    void load();

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
