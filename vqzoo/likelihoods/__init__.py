"""p(x | z): log-probabilities of integer images."""

from vqzoo.likelihoods.bernoulli import Bernoulli
from vqzoo.likelihoods.categorical import Categorical
from vqzoo.likelihoods.dequantized_normal import DequantizedNormal
from vqzoo.likelihoods.discretized_logistic import DiscretizedLogistic
from vqzoo.likelihoods.discretized_logistic_mixture import DiscretizedLogisticMixture
from vqzoo.likelihoods.discretized_normal import DiscretizedNormal
from vqzoo.likelihoods.likelihood import Likelihood
