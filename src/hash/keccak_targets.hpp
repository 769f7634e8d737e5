// SPDX-License-Identifier: Apache-2.0
#pragma once

// Include before any Highway header. The batched code keeps its state in arrays of vectors, which scalable vectors
// forbid; machines that have SVE also have NEON and use that.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
