// SPDX-License-Identifier: Apache-2.0
// The convolution module of a conformer layer: each channel looks back over five rows.
//
//   g = glu( linear_start( rms_norm(h) ) )                         2D -> D
//   y = linear_end( silu( rms_norm( c( depthwise_conv1d(g) ) ) ) )
//   h = h + y
//
// c is the activation clamp, linear_start and linear_end are clipped linears. The first norm sits
// before the branch, the second inside it and before the activation.
// Gulati et al. 2020 (Conformer), section 2.2; here the convolution is causal and the norm inside
// is an RMS norm.  Spec: multimodal 5.6, RC-16 to RC-18.
#pragma once

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/media_config.h"
#include "reference/weights/audio_weights.h"

namespace assay::ASSAY_REFERENCE {

// Returns the new residual [T, D]. Taps pre_norm … out below `tap` ("audio.layer.0.lconv.").
Tensor<T, D> audio_light_conv(const AudioLightConvWeights& w, const AudioConfig& config,
                              Tensor<T, D> residual, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
