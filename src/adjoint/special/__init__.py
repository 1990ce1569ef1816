"""Special functions: ``from adjoint import special``.

They have the names and arguments of those of `scipy.special`, and as these they give plain arrays for plain arrays and
numbers. With a Variable among the arguments they are recorded, and give Variables. SciPy computes the error functions,
the gamma and the Bessel functions, and is imported when the first of them is used: ``pip install 'adjoint[scipy]'``.
"""

from adjoint.special.bessel import (
    i0 as i0,
    i0e as i0e,
    i1 as i1,
    i1e as i1e,
    iv as iv,
    ive as ive,
    j0 as j0,
    j1 as j1,
    jn as jn,
    jv as jv,
    y0 as y0,
    y1 as y1,
    yn as yn,
    yv as yv,
)
from adjoint.special.entropies import (
    entr as entr,
    expit as expit,
    kl_div as kl_div,
    log_expit as log_expit,
    logit as logit,
    rel_entr as rel_entr,
    xlog1py as xlog1py,
    xlogy as xlogy,
)
from adjoint.special.gamma import (
    beta as beta,
    betainc as betainc,
    betaln as betaln,
    digamma as digamma,
    gamma as gamma,
    gammainc as gammainc,
    gammaincc as gammaincc,
    gammaln as gammaln,
    gammasgn as gammasgn,
    multigammaln as multigammaln,
    polygamma as polygamma,
    psi as psi,
    rgamma as rgamma,
)
from adjoint.special.normal import (
    erfc as erfc,
    erfcinv as erfcinv,
    erfinv as erfinv,
    log_ndtr as log_ndtr,
    ndtr as ndtr,
    ndtri as ndtri,
)
from adjoint.special.shared import (
    erf as erf,
    log_softmax as log_softmax,
    logsumexp as logsumexp,
    softmax as softmax,
)
