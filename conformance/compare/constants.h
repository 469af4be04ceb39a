// SPDX-License-Identifier: Apache-2.0
// Every constant of the judge, and where it comes from.
//
// No tolerance is among them: a budget is K times a floor, and floors are measured on the case.
#pragma once

#include <cstddef>

namespace assay::conformance {

// K: how many floors still pass. Honest programs that were not among those which made the floor
// stayed below 2.02 chained (worst row 2.63) and 2.04 in replay (380 dumps of transformers). Replay
// would take 3, but takes 4 while it is unknown whether a dump holds the values that were really
// used.
constexpr double kChainedLimit = 4;
constexpr double kChainedRowLimit = 5;
constexpr double kReplayLimit = 4;
constexpr double kReplayRowLimit = 4;
// How far the largest floor of a kind of tap reaches beyond a layer's own. Honest layers of one
// kind differ by 20 where one of them is ill-conditioned, and then its floor hid errors of 3e-5.
constexpr double kPoolReach = 10;
// Without a measured floor the limit doubles.
constexpr double kUnmeasuredFactor = 2;
// The floor of one step when nobody measured it, in unit roundoffs: between a norm (2.5) and a
// short matrix product (4).
constexpr double kPredictedStep = 4;

// A matrix product in any honest order, in unit roundoffs: 4 (1 + K / 1024)^(1/2), fitted to 4.4
// at K = 192 over sixteen orders of summation.
constexpr double kProductStep = 4;
constexpr double kProductTerms = 1024;

// Angles evaluated in fp32: the orders in use (frequency times position, position by timescale,
// iterated) are up to three times apart, and one of them is tried.
constexpr double kAngleSpread = 2;

// Below half a unit roundoff nothing is measurable: one rounding of each element gives 0.29 to
// 0.58 unit roundoffs of relative L2, typically 0.43.
constexpr double kSmallestFloor = 0.5;

// What a rounding inside the softcap is multiplied by: cap tanh(x / cap), cap 30.
constexpr double kInnerScale = 32;

// A truth kept as one float is off by half a unit roundoff of fp32 at most, as a relative L2 too.
constexpr double kNarrowedTruth = 0x1p-25;

// fp64 candidates: floors are those of fp32 scaled by the ratio of the roundoffs; two right fp64
// programs agree to 2e-13, so nothing below 1e-12 is asked.
constexpr double kF64PerF32 = 0x1p-29;
constexpr double kSmallestF64Budget = 1e-12;

// Delta, the largest error granted to a score, in sigmas (floor times rms). Scores that are off
// by Delta at most cannot swap a pair more than 2 Delta apart: exact logic, not taste.
constexpr double kScoreError = 4;
// Of the rows with a near-tie, honest programs take the worse side of one in ten to one in five;
// beyond this share it is a wrong scale, not bad luck.
constexpr double kTieShare = 0.5;

// A tap that may be off by half of its own size and pass is not tested: zeros, 1 off, pass at 1.
constexpr double kBlindBudget = 0.5;

// max|e| / (rms(e) sqrt(2 ln N)): healthy runs have a median of 1.5 to 1.9, at most 9.
constexpr double kPeakWarning = 20;
constexpr std::size_t kPeakMinimum = 64;  // elements below which the peak says nothing

// Probabilities sum to 1 within 4 u sqrt(S) + u; a dump as two floats keeps 48 bits.
constexpr double kProbabilitySum = 4;
// A sum of true probabilities this close to 1 is all of them: goldens may be rounded to fp32.
constexpr double kWholeRow = 1e-5;
constexpr double kSmallestProbabilityUnit = 0x1p-48;
// A hidden key's probability is 0. Below this a truth kept as two floats is 0 as well.
constexpr double kSmallestLeak = 1e-40;

// Calibration. Stochastic members cut the tail of held-out ratios from 3.05 to 1.99 (10 of them;
// 8 here beside the float runs). Large cases get fewer: their tensors average more.
constexpr std::size_t kNoiseMembers = 8;
constexpr std::size_t kReplayNoiseMembers = 2;
constexpr std::size_t kMediumCase = 8'000'000;  // elements of all taps: half the members
constexpr std::size_t kLargeCase = 32'000'000;  // a quarter of them
constexpr std::size_t kCalibrationChunk = 5;    // tokens per call of the chunked float run

// Whether an array is a part of the truth, or the truth in another notation, is asked of arrays
// that have another shape or type; half of its size apart is near. Other rows, and the bits of
// another format, are at least as far away as the truth is large.
constexpr double kNearRows = 0.5;
// bf16 bits taken for f16 keep their signs and all become 1 to 2, which may lie half as far from
// the truth as it is large; the right format of an honest dump is off by its rounding.
constexpr double kClearFormat = 4;
// Two taps that hold one array: below this share of their size their truths may be one as well, as
// those of a layer's output and the next one's input are. Small arrays may be equal by chance.
constexpr double kDistinctTruths = 0.01;
constexpr std::size_t kSmallestArray = 8;

// How far the fp64 run of a golden's own checkpoint may be from its truth, which an fp32 program
// may have made; with media another program may have decoded and resized them.
constexpr double kOtherTruth = 1e-4;
constexpr double kOtherTruthOfMedia = 1e-2;

// A class is betrayed where so many of the taps hold its numbers alone: programs of 16 bits keep a
// few taps, as those of the router, in fp32.
constexpr double kMostTaps = 0.75;
// What an error looks like: what it is taken for explains all but this share of it, or as of
// another array, all but this share of the values.
constexpr double kClearly = 2;
constexpr double kRowShare = 1e-4;
constexpr double kSignature = 0.05;
constexpr double kSameValues = 1e-3;
constexpr double kNearInteger = 1e-4;
// Vocabularies up to this size are searched for the ids that were really used.
constexpr std::size_t kSearchedIds = 8192;

// 16 bits, by the number that each element was rounded to (roundings.h): how many more than honest
// programs, and standard deviations of a count; how much farther; how many more in one channel and
// in one row.
constexpr double kRoundingLimit = 3;
constexpr double kRoundingSigmas = 4;
constexpr std::size_t kMoreInChannel = 3;
constexpr std::size_t kMoreInRow = 4;
// What honest programs show at least, were an ensemble of few members silent: in one step 1e-4 to
// 9e-4 of the elements and up to 14 units, of which 3 x 4 are asked of the ensemble's largest; over
// a longer one an element that fell on the other side within it moves others.
constexpr double kHonestShare = 1e-3;
constexpr double kHonestShareWithin = 5e-3;
constexpr double kHonestExcess = 6;
// Sums that cancel show in what the float build is off by before it rounds: 2 to 6 units elsewhere.
// Other orders of summation lie farther, by this factor at most.
constexpr double kCancellingSpread = 4 * kHonestExcess;
constexpr double kCancellingLimit = 10;
// Taps rounded within a step. Beyond it, as where a dump has block taps only, one element on the
// other side of a boundary moves a tenth of all: an honest dump in f16 had 9 %.
constexpr std::size_t kLongestStep = 8;
// Where more elements of honest programs differ, their number tells nothing.
constexpr double kMostHonestShare = 0.15;
// A program rounds at points of its own where more than half of so many kinds of tap differ, unless
// such a share of the differences goes toward zero.
constexpr std::size_t kKindsOfProgram = 6;
constexpr double kTruncated = 0.9;
// Exponentials of fused attention: torch's polynomial of degree 3 is off by 1.07e-4 at most.
constexpr double kFastExp = 1.1e-4;
constexpr double kFloatRoundoff = 0x1p-24;
// GELU of fp32 programs, in unit roundoffs of its argument: 1.5 where tanh comes from an
// exponential.
constexpr double kGeluSpread = 1.5;
// The epsilon of every released RMSNorm.
constexpr double kUsualEps = 1e-6;
// Gain of what is made before the model runs, in unit roundoffs of a 16-bit class, and in standard
// deviations: rounding to nearest stayed below 0.2 over 12,363 checks, truncation has 0.5 to 0.9.
constexpr double kGain = 0.35;
constexpr double kGainDeviations = 6;
constexpr std::size_t kGainElements = 256;
// Of the same, in fp32 roundoffs of the largest value of a frame: what an FFT in fp32 is off by at
// most; and the share of values that may be rounded to another number beyond that.
constexpr double kFrameSpread = 64;
constexpr double kFrameShare = 0.02;
// Two evaluations of one step in fp64, and the largest cap of logits that is looked for.
constexpr double kSameStep = 1e-9;
constexpr double kLargestCap = 1e4;

// Values beyond this are not fed back in a replay: their squares would leave fp64.
constexpr double kLargestReplayed = 1e100;

}  // namespace assay::conformance
