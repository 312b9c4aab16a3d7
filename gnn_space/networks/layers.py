"""A block's convolution, normalization and activation: one path for each width at which the convolution may work."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gnn_space.convolutions.named import convolution
from gnn_space.graph_batch import GraphBatch
from gnn_space.networks.activation import activation
from gnn_space.networks.selection import Options, Selection, Weighted, key, mixed
from gnn_space.networks.vocabulary import IDENTITY, BlockNames, Sizes
from gnn_space.normalizations.named import normalization


class Layer(nn.Module):
    """``sum_a g_a act_a(sum_n g_n norm_n(sum_c g_c conv_c(x)))``, each sum over the options that are run.

    Shapes: (num_nodes, in_channels) to (num_nodes, out_channels).

    Args:
        names: of the block's choices.
        convolutions: options of the convolution.
        options: normalizations and activations that there are.
        in_channels: channels of x.
        out_channels: channels of the output.
    """

    def __init__(
        self, names: BlockNames, convolutions: Sequence[str], options: Options, in_channels: int, out_channels: int
    ) -> None:
        super().__init__()
        self.names = names
        self.convolutions = nn.ModuleDict({name: convolution(name, in_channels, out_channels) for name in convolutions})
        self.normalizations = nn.ModuleDict(
            {name: normalization(name, out_channels) for name in options[names.normalization]}
        )
        self.activations = nn.ModuleDict({name: activation(name) for name in options[names.activation]})

    def forward(
        self,
        x: Tensor,
        graphs: GraphBatch,
        presence: Tensor | None,
        convolutions: Sequence[Weighted],
        selection: Selection,
    ) -> Tensor:
        """Return the new features; `convolutions` are those to run."""
        x = mixed(
            (weight, self.convolutions[option](x, graphs.edge_index, graphs.edge_weight))
            for option, weight in convolutions
        )
        x = mixed(
            (weight, self.normalizations[option](x, graphs.batch, graphs.num_graphs, presence))
            for option, weight in selection[self.names.normalization]
        )
        return mixed((weight, self.activations[option](x)) for option, weight in selection[self.names.activation])


class Layers(nn.Module):
    """The layers of a block, at every width that its convolution may have.

    A convolution c works at its own width w: layers of w channels, and then a linear map P_w to the network's width,
    where it differs. The identity has no width, so it has a path of its own:

        y = sum_w g_w P_w(f_w(x)) + g_identity f_identity(x),

    in which f_w are the layers at width w, with the sum over all convolutions but the identity inside. The gate of the
    identity stands outside its layers, where a normalization cannot undo it.

    Shapes: (num_nodes, in_channels) to (num_nodes, width).

    Args:
        names: of the block's choices.
        options: that there are.
        in_channels: channels of x.
        sizes: of the network.
    """

    def __init__(self, names: BlockNames, options: Options, in_channels: int, sizes: Sizes) -> None:
        super().__init__()
        self.names = names
        convolutions = tuple(name for name in options[names.convolution] if name != IDENTITY)
        self.paths = nn.ModuleDict()
        self.projections = nn.ModuleDict()
        for multiple in options.get(names.width, ()) if convolutions else ():
            channels = sizes.channels(multiple)
            self.paths[key(multiple)] = nn.ModuleList(
                Layer(names, convolutions, options, channels if number else in_channels, channels)
                for number in range(sizes.layers_per_block)
            )
            self.projections[key(multiple)] = (
                nn.Identity() if channels == sizes.width else nn.Linear(channels, sizes.width)
            )
        if IDENTITY in options[names.convolution]:
            self.paths[IDENTITY] = nn.ModuleList(
                Layer(names, (IDENTITY,), options, in_channels, in_channels) for _ in range(sizes.layers_per_block)
            )
            self.projections[IDENTITY] = nn.Identity()

    def forward(self, graphs: GraphBatch, presence: Tensor | None, selection: Selection) -> Tensor:
        """Return the new features of the nodes."""
        convolutions = [each for each in selection[self.names.convolution] if each.option != IDENTITY]
        identities = [each for each in selection[self.names.convolution] if each.option == IDENTITY]
        terms = []
        for option, weight in selection[self.names.width] if convolutions else ():
            terms.append((weight, self._path(key(option), graphs, presence, convolutions, selection)))
        for option, weight in identities:
            terms.append((weight, self._path(option, graphs, presence, [Weighted(option, None)], selection)))
        return mixed(terms)

    def _path(
        self,
        path: str,
        graphs: GraphBatch,
        presence: Tensor | None,
        convolutions: Sequence[Weighted],
        selection: Selection,
    ) -> Tensor:
        x = graphs.x
        layers = self.paths[path]
        assert isinstance(layers, nn.ModuleList)
        for layer in layers:
            x = layer(x, graphs, presence, convolutions, selection)
        outputs: Tensor = self.projections[path](x)
        return outputs
