import CKernels
import LinearAlgebra

/// The instruction sets that the transformer's kernels are compiled for; the best one is chosen as the program starts.
enum InstructionSet: String, CaseIterable, Sendable {
  case portable, avx2, avx512

  fileprivate var kernels: te_instructions {
    switch self {
    case .portable: TE_PORTABLE
    case .avx2: TE_AVX2
    case .avx512: TE_AVX512
    }
  }

  /// Those that this processor has.
  static var available: [InstructionSet] {
    let team = WorkerTeam(workers: 1)
    return allCases.filter { te_team_use(team.handle, $0.kernels) != 0 }
  }
}

extension WorkerTeam {
  /// Starts a team that computes with the kernels for `instructions`; nil where the processor lacks them.
  convenience init?(workers: Int, instructions: InstructionSet) {
    self.init(workers: workers)
    if te_team_use(handle, instructions.kernels) == 0 { return nil }
  }
}
