import LinearAlgebra
import Reporting

/// What `--version` prints: the package's version, and the BLAS library with the processor whose kernels it chose.
let versionText = "token-entropy \(packageVersion) (\(BLAS.libraryName), core \(BLAS.coreName))"
