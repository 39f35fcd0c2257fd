#include "ports/plugin_catalogue.hpp"

#include <unistd.h>

namespace varde::ports {

SealedFile::~SealedFile() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace varde::ports
