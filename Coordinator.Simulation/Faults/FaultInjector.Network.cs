using Coordinator.Simulation.Engine;
using Coordinator.Simulation.Network;

namespace Coordinator.Simulation.Faults;

internal sealed partial class FaultInjector
{
    private void InjectIntoNetwork(FaultKind kind)
    {
        SimulatedNetwork network = world.Network;
        switch (kind)
        {
            case FaultKind.PartitionSymmetric:
                world.Happenings.Count(Happening.PartitionSymmetric);
                Split(network, bothWays: true);
                break;
            case FaultKind.PartitionOneWay:
                world.Happenings.Count(Happening.PartitionOneWay);
                Split(network, bothWays: false);
                break;
            case FaultKind.PartitionRing:
                world.Happenings.Count(Happening.PartitionRing);
                CutRing(network);
                break;
            case FaultKind.IsolatedLeader when LeadingPeer() is { } leader:
                Isolate(leader, Duration());
                break;
            case FaultKind.CloggedLink:
                network.Clog(random.Below(network.Places), random.Below(network.Places), random.Skewed(50_000, 8_000_000));
                break;
            case FaultKind.NetworkStorm:
                Storm(network);
                break;
            case FaultKind.CutOffClient:
                int client = world.PlaceOfClient(random.Below(Scenario.Clients));
                for (int peer = 0; peer < world.Peers.Count; peer++)
                    CutFor(network, client, peer);
                break;
        }
    }

    private void Split(SimulatedNetwork network, bool bothWays)
    {
        long durationUs = Duration();
        bool[] isLeft = new bool[network.Places];
        for (int place = 0; place < network.Places; place++)
            isLeft[place] = random.Chance(0.5);
        for (int from = 0; from < network.Places; from++)
        {
            for (int to = 0; to < network.Places; to++)
            {
                if (isLeft[from] != isLeft[to] && (bothWays || isLeft[from]))
                    CutFor(network, from, to, durationUs);
            }
        }
    }

    /// <summary>Each peer reaches its neighbours alone.</summary>
    private void CutRing(SimulatedNetwork network)
    {
        long durationUs = Duration();
        bool isOneWay = random.Chance(0.3);
        int count = world.Peers.Count;
        for (int from = 0; from < count; from++)
        {
            for (int to = 0; to < count; to++)
            {
                int distance = (to - from + count) % count;
                bool isNeighbour = distance == 1 || (distance == count - 1 && !isOneWay && count > 3);
                if (from != to && !isNeighbour)
                    CutFor(network, from, to, durationUs);
            }
        }
    }

    private void CutFor(SimulatedNetwork network, int from, int to) => CutFor(network, from, to, Duration());

    private void CutFor(SimulatedNetwork network, int from, int to, long durationUs)
    {
        network.SetCut(from, to, true);
        Events.After(durationUs, () => network.SetCut(from, to, false));
    }

    private void Storm(SimulatedNetwork network)
    {
        world.Happenings.Count(Happening.NetworkStorm);
        network.Faults = Scenario.Network with
        {
            LossChance = random.Fraction() * 0.4,
            DuplicationChance = random.Fraction() * 0.3,
            StragglerChance = random.Fraction() * 0.5,
        };
        Events.After(Duration(), () =>
        {
            if (!_isOver)
                network.Faults = Scenario.Network;
        });
    }
}
