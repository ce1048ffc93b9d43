"""The losses against sentence-transformers' by value and gradient, and by hand: where each pair is moved."""

from __future__ import annotations

import doctest
import importlib
import math
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.losses import LOSSES, Batch, LossSettings, LossTerms
from core.losses.base import DEFAULT_CONCATENATION, DEFAULT_MARGIN, DEFAULT_TEMPERATURE
from core.losses.forces import forces, summed_by_pair
from core.losses.gradient import loss_and_gradient
from core.losses.mnrl import false_negatives
from core.losses.softmax import CONCATENATIONS, head_width, new_head
from core.types import TrainingConfig

B, D = 8, 12  # pairs and dimensions of the random batches
KEYS = ["contrastive", "cosine", "triplet", "mnrl", "cosent", "softmax", "simcse"]


def random_rows(rows: int, seed: int, dimension: int = D) -> torch.Tensor:
    """Rows of differing lengths, so that a loss that forgets to normalise is caught."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(rows, dimension, generator=generator)
    return (z * torch.linspace(0.5, 2.0, rows)[:, None]).requires_grad_()


def distinct_batch(z: torch.Tensor, seed: int, graded: bool = False) -> Batch:
    """Rows 0..B-1 with B..2B-1, negatives 2B..3B-1; labels with both values, or graded with ties."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.randint(0, 5, (B,), generator=generator) / 4 if graded else torch.arange(B) % 2
    rows = torch.arange(B)
    return Batch(rows, rows + B, label.float(), rows + 2 * B if len(z) >= 3 * B else None)


def assert_same(ours: LossTerms, theirs: torch.Tensor, *inputs: torch.Tensor) -> None:
    """Value and gradient equal to 1e-5."""
    torch.testing.assert_close(ours.value, theirs, atol=1e-5, rtol=1e-5)
    ours_gradient = torch.autograd.grad(ours.value, inputs, retain_graph=True)
    theirs_gradient = torch.autograd.grad(theirs, inputs, retain_graph=True)
    for a, b in zip(ours_gradient, theirs_gradient, strict=True):
        assert b.abs().max() > 1e-4, "the comparison would be of zeros"
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def sides(z: torch.Tensor, batch: Batch) -> list[torch.Tensor]:
    return [z[batch.left], z[batch.right]] + ([z[batch.negative]] if batch.negative is not None else [])


@pytest.fixture(scope="module")
def reference():
    """sentence-transformers' losses around a model that is never called."""
    pytest.importorskip("sentence_transformers")
    from sentence_transformers.sentence_transformer import losses

    return losses


STUB = SimpleNamespace(device="cpu")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.filterwarnings("ignore:ContrastiveLoss expects binary labels")
class TestEqualsSentenceTransformers:
    @pytest.mark.parametrize("margin", [0.5, 1.2])
    @pytest.mark.parametrize("graded", [False, True])
    def test_contrastive(self, reference, seed, margin, graded):
        z = random_rows(2 * B, seed)
        batch = distinct_batch(z, seed, graded)
        theirs = reference.ContrastiveLoss(STUB, margin=margin).compute_loss_from_embeddings(
            sides(z, batch), batch.label
        )
        assert_same(LOSSES["contrastive"].compute(z, batch, LossSettings(margin=margin)), theirs, z)

    def test_cosine(self, reference, seed):
        z = random_rows(2 * B, seed)
        batch = distinct_batch(z, seed, graded=True)
        theirs = reference.CosineSimilarityLoss(STUB).compute_loss_from_embeddings(
            sides(z, batch), batch.label
        )
        assert_same(LOSSES["cosine"].compute(z, batch, LossSettings()), theirs, z)

    def test_triplet(self, reference, seed):
        z = random_rows(3 * B, seed)
        batch = distinct_batch(z, seed)
        from sentence_transformers.sentence_transformer.losses.triplet import TripletDistanceMetric

        loss = reference.TripletLoss(STUB, distance_metric=TripletDistanceMetric.COSINE, triplet_margin=0.5)
        theirs = loss.compute_loss_from_embeddings(sides(z, batch), batch.label)
        assert_same(LOSSES["triplet"].compute(z, batch, LossSettings(margin=0.5)), theirs, z)

    @pytest.mark.parametrize("negatives", [False, True])
    @pytest.mark.parametrize("temperature", [0.05, 1.0])
    def test_mnrl(self, reference, seed, negatives, temperature):
        z = random_rows((3 if negatives else 2) * B, seed)
        batch = distinct_batch(z, seed)
        loss = reference.MultipleNegativesRankingLoss(STUB, scale=1 / temperature)
        theirs = loss.compute_loss_from_embeddings(sides(z, batch), batch.label)
        ours = LOSSES["mnrl"].compute(z, batch, LossSettings(temperature=temperature))
        assert_same(ours, theirs, z)
        assert len(ours.pairs) == B * B * (2 if negatives else 1)

    @pytest.mark.parametrize("graded", [False, True])
    @pytest.mark.parametrize("temperature", [0.05, 1.0])
    def test_cosent(self, reference, seed, graded, temperature):
        z = random_rows(2 * B, seed)
        batch = distinct_batch(z, seed, graded)
        loss = reference.CoSENTLoss(STUB, scale=1 / temperature)
        theirs = loss.compute_loss_from_embeddings(sides(z, batch), batch.label)
        assert_same(LOSSES["cosent"].compute(z, batch, LossSettings(temperature=temperature)), theirs, z)

    @pytest.mark.parametrize("concatenation", CONCATENATIONS)
    def test_softmax(self, reference, seed, concatenation, monkeypatch):
        z = random_rows(2 * B, seed)
        batch = distinct_batch(z, seed)
        loss = reference.SoftmaxLoss(
            STUB,
            embedding_dimension=D,
            num_labels=2,
            concatenation_sent_rep="u,v" in concatenation,
            concatenation_sent_difference="|u-v|" in concatenation,
            concatenation_sent_multiplication="u*v" in concatenation,
        )
        weight, bias = loss.classifier.weight, loss.classifier.bias
        assert weight.shape == new_head(concatenation, D)[0].shape
        module = sys.modules[type(loss).__module__]
        monkeypatch.setattr(module, "embed_columns", lambda model, features: features)
        theirs = loss(sides(z, batch), batch.label.long())
        settings = LossSettings(concatenation=concatenation, head=weight, head_bias=bias)
        assert_same(LOSSES["softmax"].compute(z, batch, settings), theirs, z, weight, bias)

    def test_simcse(self, reference, seed):
        z = random_rows(2 * B, seed)
        batch = distinct_batch(z, seed)
        loss = reference.MultipleNegativesRankingLoss(
            STUB, scale=20
        )  # the way its documentation trains SimCSE
        theirs = loss.compute_loss_from_embeddings(sides(z, batch), batch.label)
        assert_same(LOSSES["simcse"].compute(z, batch, LossSettings(temperature=0.05)), theirs, z)


class TestDirection:
    """Vectors in the plane at known angles; the force and one small step downhill agree."""

    Z = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])  # cosines: 01 0.8, 02 0.0, 12 0.6

    def force(self, key: str, batch: Batch, **settings: object) -> torch.Tensor:
        z = self.Z.clone().requires_grad_()
        return forces(LOSSES[key].compute(z, batch, LossSettings(**settings)), z)

    def test_contrastive_pulls_similar_pushes_near_dissimilar_leaves_far_ones(self):
        force = self.force("contrastive", Batch.of([0, 0, 0], [1, 1, 2], [1.0, 0.0, 0.0]), margin=0.5)
        # d = 0.2: -d / 3; margin - d = 0.3: +0.3 / 3; d = 1 is beyond the margin
        torch.testing.assert_close(force, torch.tensor([-0.2 / 3, 0.3 / 3, 0.0]))

    def test_cosine_moves_towards_the_label_from_both_sides(self):
        force = self.force("cosine", Batch.of([0, 0, 0], [1, 1, 1], [1.0, 0.0, 0.8]))
        torch.testing.assert_close(force, torch.tensor([-0.4 / 3, 1.6 / 3, 0.0]), atol=1e-6, rtol=0)

    def test_triplet_pulls_the_positive_and_pushes_the_negative(self):
        force = self.force("triplet", Batch.of([0], [2], negative=[1]), margin=0.5)
        torch.testing.assert_close(force, torch.tensor([-1.0, 1.0]))

    def test_triplet_rests_when_the_margin_is_kept(self):
        assert self.force("triplet", Batch.of([0], [1], negative=[2]), margin=0.5).tolist() == [0.0, 0.0]

    def test_mnrl_pulls_the_positive_and_pushes_the_others_as_much(self):
        z = torch.cat((self.Z, -self.Z)).requires_grad_()
        terms = LOSSES["mnrl"].compute(z, Batch.of([0, 3], [1, 2]), LossSettings(temperature=1.0))
        force = forces(terms, z)
        assert terms.pairs.tolist() == [[0, 1], [0, 2], [3, 1], [3, 2]]
        assert force[0] < 0 < force[1] and force[3] < 0 < force[2]
        torch.testing.assert_close(force[0], -force[1])

    def test_cosent_pulls_the_higher_label_and_pushes_the_lower(self):
        force = self.force("cosent", Batch.of([0, 0], [2, 1], [1.0, 0.0]), temperature=0.05)
        assert force[0] < 0 < force[1]
        torch.testing.assert_close(force[0], torch.tensor(-20.0), atol=1e-3, rtol=0)  # sigmoid(16) / 0.05

    def test_cosent_without_any_order_is_still(self):
        assert self.force("cosent", Batch.of([0, 0], [1, 2], [1.0, 1.0])).tolist() == [0.0, 0.0]

    def test_softmax_pulls_where_the_product_speaks_for_similar(self):
        head = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])  # logit of "similar" is +u.v, of "dissimilar" -u.v
        batch = Batch.of([0, 0], [1, 1], [1.0, 0.0])
        force = self.force("softmax", batch, concatenation="u*v", head=head)
        assert force[0] < 0 < force[1]

    def test_simcse_pulls_the_two_passes_and_pushes_other_sentences(self):
        z = torch.cat((self.Z, self.Z + 0.1)).requires_grad_()
        terms = LOSSES["simcse"].compute(z, Batch.of([0, 1, 2], [3, 4, 5]), LossSettings())
        own = terms.pairs[:, 1] == terms.pairs[:, 0] + 3
        force = forces(terms, z)
        assert (force[own] < 0).all() and (force[~own] > 0).all()

    @pytest.mark.parametrize("key", KEYS)
    def test_a_step_downhill_lowers_the_loss(self, key):
        z = random_rows(3 * B, 3)
        batch = distinct_batch(z, 3)
        weight, bias = new_head(DEFAULT_CONCATENATION, D)
        settings = LossSettings(head=weight, head_bias=bias)
        before = LOSSES[key].compute(z, batch, settings).value
        (gradient,) = torch.autograd.grad(before, z)
        after = LOSSES[key].compute(z - 1e-3 * gradient, batch, settings).value
        assert after < before


class TestForces:
    @pytest.mark.parametrize("concatenation", CONCATENATIONS)
    def test_softmax_force_is_the_slope_along_the_turn(self, concatenation):
        """Turn one pair by a small angle both ways and compare with the change per cosine gained."""
        z = random_rows(2 * B, 5).detach().double().requires_grad_()
        batch = distinct_batch(z, 5)
        weight, bias = (t.double() for t in new_head(concatenation, D, seed=1))
        settings = LossSettings(concatenation=concatenation, head=weight, head_bias=bias)
        force = forces(LOSSES["softmax"].compute(z, batch, settings), z)
        for i in range(B):
            values, cosines = [], []
            for angle in (1e-6, -1e-6):
                turned = turn_together(z.detach(), i, i + B, angle)
                values.append(LOSSES["softmax"].compute(turned, batch, settings).value)
                cosines.append(torch.cosine_similarity(turned[i], turned[i + B], dim=0))
            slope = (values[0] - values[1]) / (cosines[0] - cosines[1])
            torch.testing.assert_close(force[i], slope, atol=1e-6, rtol=1e-5)

    @pytest.mark.parametrize("key", ["contrastive", "cosine", "cosent"])
    def test_both_definitions_agree_for_a_function_of_cosines(self, key):
        z = random_rows(2 * B, 6).detach().double().requires_grad_()
        batch = distinct_batch(z, 6)
        terms = LOSSES[key].compute(z, batch, LossSettings(margin=1.0))
        u, v = z[batch.left], z[batch.right]
        stacked, rows = torch.cat((u, v)), torch.arange(B)
        same = LOSSES[key].compute(stacked, Batch(rows, rows + B, batch.label), LossSettings(margin=1.0))
        as_sides = LossTerms(same.value, None, terms.pairs, sides=(u, v))
        torch.testing.assert_close(forces(as_sides, z), forces(terms, z))

    @pytest.mark.parametrize("sign", [1.0, -1.0])
    def test_softmax_force_is_zero_where_there_is_no_plane_to_turn_in(self, sign):
        z = torch.tensor([[1.0, 2.0, 0.5], [sign * 2.0, sign * 4.0, sign * 1.0]], requires_grad=True)
        weight, bias = new_head("u,v,|u-v|", 3)
        terms = LOSSES["softmax"].compute(z, Batch.of([0], [1]), LossSettings(head=weight, head_bias=bias))
        assert forces(terms, z).tolist() == [0.0]

    def test_needs_a_graph(self):
        z = torch.eye(2)
        with pytest.raises(ValueError, match="requires gradients"):
            forces(LOSSES["cosine"].compute(z, Batch.of([0], [1]), LossSettings()), z)

    def test_leaves_the_graph_for_backward(self):
        z = torch.eye(2, requires_grad=True)
        terms = LOSSES["cosine"].compute(z, Batch.of([0], [1]), LossSettings())
        forces(terms, z)
        terms.value.backward()
        assert z.grad is not None and z.grad.abs().sum() > 0

    def test_summed_by_pair_adds_both_orders(self):
        pairs, values = summed_by_pair(torch.tensor([[2, 1], [0, 1], [1, 2]]), torch.tensor([1.0, 5.0, -3.0]))
        assert pairs.tolist() == [[0, 1], [1, 2]] and values.tolist() == [5.0, -2.0]


def turn_together(z: torch.Tensor, i: int, j: int, angle: float) -> torch.Tensor:
    """A copy of z whose rows i and j are each turned by `angle` towards the other, lengths kept."""
    u, v = z[i] / z[i].norm(), z[j] / z[j].norm()
    cosine = u @ v
    towards_v, towards_u = v - cosine * u, u - cosine * v
    turned = z.clone()
    c, s = math.cos(angle), math.sin(angle)
    turned[i] = z[i].norm() * (c * u + s * towards_v / towards_v.norm())
    turned[j] = z[j].norm() * (c * v + s * towards_u / towards_u.norm())
    return turned


class TestFalseNegatives:
    """Who may be a negative of whom, in a batch of rows that repeat."""

    def out(self, left, right, negative=None, known=None) -> list[list[bool]]:
        batch = Batch.of(left, right, negative=negative)
        batch = Batch(batch.left, batch.right, batch.label, batch.negative, known)
        candidates = batch.right if negative is None else torch.cat((batch.right, batch.negative))
        return false_negatives(batch, candidates).tolist()

    def test_none_among_distinct_rows(self):
        assert not np.any(self.out([0, 1, 2], [3, 4, 5], [6, 7, 8]))

    def test_another_copy_of_the_positive(self):
        assert self.out([0, 1], [2, 2]) == [[False, True], [True, False]]

    def test_the_anchor_itself(self):
        assert self.out([0, 1], [2, 0]) == [[False, True], [False, False]]

    def test_another_positive_of_the_same_anchor(self):
        assert self.out([0, 0], [1, 2]) == [[False, True], [True, False]]

    def test_a_pair_read_the_other_way_round(self):
        # 0-1 and 2-0 are pairs; 5-1 brings 1 in again. For anchor 1 (pair 1-3), 0 (pair 2-0) is known.
        out = self.out([0, 2, 1], [1, 0, 3])
        assert out[2] == [True, True, False]  # itself, and its partner 0

    def test_an_explicit_negative_that_is_the_positive(self):
        assert self.out([0, 1], [2, 3], [2, 7]) == [[False, False, True, False], [False, False, False, False]]

    def test_known_positives_and_never_its_own(self):
        assert self.out([0, 1], [2, 3], known=torch.tensor([[True, True], [False, False]])) == [
            [False, True],
            [False, False],
        ]

    def test_left_out_candidates_feel_no_force_and_do_not_count(self):
        z = random_rows(4, 1)
        terms = LOSSES["mnrl"].compute(z, Batch.of([0, 1], [2, 2]), LossSettings())
        assert terms.pairs.tolist() == [[0, 2], [1, 2]]
        assert terms.value.item() == pytest.approx(0.0, abs=1e-6)  # nothing left to be confused with


class TestTable:
    def test_holds_all_losses_in_menu_order(self):
        assert list(LOSSES) == KEYS

    @pytest.mark.parametrize("key", KEYS)
    def test_uses_are_settings_of_a_run(self, key):
        row = LOSSES[key]
        assert row.key == key and row.title and row.formula and row.source and row.summary.endswith(".")
        assert set(row.uses) <= set(TrainingConfig.__dataclass_fields__) & set(
            LossSettings.__dataclass_fields__
        )

    @pytest.mark.parametrize("key", KEYS)
    def test_reads_exactly_the_settings_it_names(self, key):
        z = random_rows(3 * B, 2)
        batch = distinct_batch(z, 2)
        weight, bias = new_head("u,v,|u-v|", D)
        other_weight, other_bias = new_head("u*v", D)
        base = {"margin": 0.9, "temperature": 0.1, "head": weight, "head_bias": bias}
        changes = {
            "margin": {"margin": 1.5},
            "temperature": {"temperature": 0.3},
            "concatenation": {"concatenation": "u*v", "head": other_weight, "head_bias": other_bias},
        }
        value = LOSSES[key].compute(z, batch, LossSettings(**base)).value
        for name, change in changes.items():
            changed = LOSSES[key].compute(z, batch, LossSettings(**(base | change))).value
            assert bool(changed != value) == (name in LOSSES[key].uses), name

    def test_defaults_are_the_runs(self):
        config = TrainingConfig()
        assert (config.margin, config.temperature) == (DEFAULT_MARGIN, DEFAULT_TEMPERATURE)
        assert config.concatenation == DEFAULT_CONCATENATION in CONCATENATIONS and config.loss in LOSSES

    def test_margins_can_be_reached_by_unit_vectors(self):
        """With the default margin some arrangement of unit vectors has no loss at all."""
        z = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        contrastive = LOSSES["contrastive"].compute(z, Batch.of([0, 0], [1, 2], [1.0, 0.0]), LossSettings())
        triplet = LOSSES["triplet"].compute(z, Batch.of([0], [1], negative=[2]), LossSettings())
        assert contrastive.value == 0.0 and triplet.value == 0.0

    def test_importing_the_table_loads_no_torch(self):
        code = "import sys, core.losses as l; assert len(l.LOSSES) == 7; sys.exit('torch' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

    @pytest.mark.parametrize(
        "name",
        [
            "base",
            "gradient",
            "forces",
            "contrastive",
            "cosine",
            "triplet",
            "mnrl",
            "cosent",
            "softmax",
            "simcse",
        ],
    )
    def test_examples_run(self, name):
        result = doctest.testmod(importlib.import_module(f"core.losses.{name}"))
        assert result.attempted > 0 and result.failed == 0


class TestSoftmaxHead:
    @pytest.mark.parametrize("concatenation,parts", zip(CONCATENATIONS, [2, 1, 1, 2, 3, 3, 4], strict=True))
    def test_width(self, concatenation, parts):
        assert head_width(concatenation, D) == parts * D

    def test_same_seed_same_head(self):
        assert torch.equal(new_head("u,v", D, seed=3)[0], new_head("u,v", D, seed=3)[0])
        assert not torch.equal(new_head("u,v", D, seed=3)[0], new_head("u,v", D, seed=4)[0])

    @pytest.mark.parametrize(
        "classes,label,expected", [(2, 0.49, 0), (2, 0.5, 1), (2, 1.0, 1), (3, 0.5, 1), (3, 1.0, 2)]
    )
    def test_labels_become_classes(self, classes, label, expected):
        bias = torch.full((classes,), -50.0)
        bias[expected] = 0.0  # only this class is free of cost
        settings = LossSettings(concatenation="u*v", head=torch.zeros(classes, 2), head_bias=bias)
        assert LOSSES["softmax"].compute(torch.eye(2), Batch.of([0], [1], [label]), settings).value < 1e-6

    def test_wrong_width_is_refused(self):
        with pytest.raises(AssertionError, match="the head takes 5"):
            settings = LossSettings(head=torch.zeros(2, 5))
            LOSSES["softmax"].compute(torch.eye(2), Batch.of([0], [1]), settings)


class TestEvaluate:
    @pytest.mark.parametrize("key", KEYS)
    def test_gradient_is_the_slope(self, key):
        z = random_rows(6, 4, 3).detach().double().numpy()
        arguments = ([0, 1], [2, 3], [1.0, 0.0], [4, 5])
        result = loss_and_gradient(key, z, *arguments, margin=1.0, temperature=0.5)
        numeric = np.zeros_like(z)
        for at in np.ndindex(*z.shape):
            step = np.zeros_like(z)
            step[at] = 1e-6
            ahead = loss_and_gradient(key, z + step, *arguments, margin=1.0, temperature=0.5).value
            behind = loss_and_gradient(key, z - step, *arguments, margin=1.0, temperature=0.5).value
            numeric[at] = (ahead - behind) / 2e-6
        np.testing.assert_allclose(result.gradient, numeric, atol=1e-7)
        assert len(result.forces) == len(result.cosines) == len(result.pairs)

    def test_cosines_belong_to_their_pairs(self):
        result = loss_and_gradient("mnrl", [[1, 0], [0, 2], [3, 0], [0, -1]], [0, 1], [2, 3])
        assert dict(zip(map(tuple, result.pairs.tolist()), result.cosines.tolist(), strict=True)) == {
            (0, 2): 1.0,
            (0, 3): 0.0,
            (1, 2): 0.0,
            (1, 3): -1.0,
        }
