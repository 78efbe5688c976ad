"""Optimal transport: the cheapest way to turn one pile of earth into another, with the proof that it is."""

from ._emd import EMDResult as EMDResult
from ._emd import emd as emd
from ._emd_1d import emd_1d as emd_1d
from ._emd_1d import plan_1d as plan_1d
from ._plan import improve_plan as improve_plan
from ._plan import naive_plan as naive_plan
from ._plan import plan_cost as plan_cost
from ._points import PointsResult as PointsResult
from ._points import emd_points as emd_points
from ._reference_1d import emd_1d_reference as emd_1d_reference
from ._reference_points import emd_points_reference as emd_points_reference
from ._sinkhorn import SinkhornResult as SinkhornResult
from ._sinkhorn import sinkhorn as sinkhorn
from ._sinkhorn_points import SinkhornPointsResult as SinkhornPointsResult
from ._sinkhorn_points import sinkhorn_points as sinkhorn_points
from ._sliced import SlicedResult as SlicedResult
from ._sliced import sliced_wasserstein as sliced_wasserstein
