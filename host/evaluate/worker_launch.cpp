#include "evaluate/worker_launch.hpp"

#include "evaluate/worker_death.hpp"
#include "wire/message.hpp"

#include <functional>
#include <map>

namespace varde::evaluate {

std::uint32_t layers_of(const std::vector<std::string>& names) {
    static const std::map<std::string, std::uint32_t, std::less<>> bits{{"own_user", wire::posture_own_user},
                                                                        {"namespaces", wire::posture_namespaces},
                                                                        {"landlock", wire::posture_landlock_files},
                                                                        {"cgroup", wire::posture_cgroup},
                                                                        {"seccomp", wire::posture_seccomp}};
    std::uint32_t layers = 0;
    for (const std::string& name : names) layers |= bits.at(name);
    return layers;
}

core::Result<WorkerLaunch> prepare_launch(const config::HostConfig::Isolation& settings, int cpu, ports::LogSink& log) {
    auto program = WorkerProgram::open(settings.worker_path);
    if (!program) return tl::unexpected{program.error()};
    WorkerLaunch launch{std::move(*program), {}, cpu, layers_of(settings.without), layers_of(settings.require)};
    const auto missing = [&log](const char* layer, const char* text, const std::string& reason) {
        log.log(ports::LogLevel::debug, "evaluate", "isolation_layer_missing", text, {{"layer", layer}, {"reason", reason}});
    };
    if ((launch.without & wire::posture_cgroup) != 0) {
        launch.no_cgroups = "isolation.without names it";
    } else if (auto cgroups = CgroupTree::open(settings.cgroup)) {
        launch.cgroups = std::move(*cgroups);
    } else {
        launch.no_cgroups = clean_message(cgroups.error().context);
        missing("cgroup", "this system has no cgroup for workers", launch.no_cgroups);
    }
    if ((launch.without & wire::posture_namespaces) != 0) return launch;
    auto namespaces = SharedNamespaces::make(launch.program, settings.load_timeout);
    if (namespaces)
        launch.namespaces = std::move(*namespaces);
    else
        missing("namespaces", "this system makes no namespaces for workers", clean_message(namespaces.error().context));
    return launch;
}

}  // namespace varde::evaluate
