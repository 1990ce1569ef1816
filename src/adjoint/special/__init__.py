"""Special functions: ``from adjoint import special``.

They are functions as those of `adjoint.functions`, with the names and arguments that they have in `scipy.special`.
SciPy computes the error functions, the gamma and the Bessel functions, and is imported when the first of them is
used: ``pip install 'adjoint[scipy]'``.
"""

from adjoint.functions import (
    erf as erf,
    log_softmax as log_softmax,
    logsumexp as logsumexp,
    softmax as softmax,
)
from adjoint.special.bessel import (
    i0 as i0,
    i0e as i0e,
    i1 as i1,
    i1e as i1e,
    iv as iv,
    ive as ive,
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
    betaln as betaln,
    digamma as digamma,
    gamma as gamma,
    gammainc as gammainc,
    gammaincc as gammaincc,
    gammaln as gammaln,
    polygamma as polygamma,
)
from adjoint.special.normal import (
    erfc as erfc,
    erfcinv as erfcinv,
    erfinv as erfinv,
    log_ndtr as log_ndtr,
    ndtr as ndtr,
    ndtri as ndtri,
)
