using Coordinator.Simulation.Network;

namespace Coordinator.Simulation.Faults;

internal sealed partial class InjectedFault
{
    private bool TryNetwork(FaultKind kind)
    {
        SimulatedNetwork network = world.Network;
        switch (kind)
        {
            case FaultKind.PartitionSymmetric:
                Split(network, bothWays: true);
                return true;
            case FaultKind.PartitionOneWay:
                Split(network, bothWays: false);
                return true;
            case FaultKind.PartitionRing when world.Peers.Count > 2:
                CutRing(network);
                return true;
            case FaultKind.IsolatedLeader when world.Peers.Count > 1 && LeadingPeer() is { } leader:
                Isolate(leader, Duration());
                return true;
            case FaultKind.CloggedLink:
                network.Clog(random.Below(network.Places), random.Below(network.Places), random.Skewed(50_000, 8_000_000));
                return true;
            case FaultKind.NetworkStorm:
                Storm(network);
                return true;
            case FaultKind.CutOffClient:
                int client = world.PlaceOfClient(random.Below(Scenario.Clients));
                for (int peer = 0; peer < world.Peers.Count; peer++)
                    network.Cut(client, peer, Duration());
                return true;
            default:
                return false;
        }
    }

    private void Split(SimulatedNetwork network, bool bothWays)
    {
        long durationUs = Duration();
        bool[] isLeft = new bool[network.Places];
        for (int place = 0; place < network.Places; place++)
            isLeft[place] = random.Chance(0.5);
        // A partition has two sides: whatever was drawn, two neighbours are on different ones.
        int alone = random.Below(network.Places);
        isLeft[alone] = !isLeft[(alone + 1) % network.Places];
        for (int from = 0; from < network.Places; from++)
        {
            for (int to = 0; to < network.Places; to++)
            {
                if (isLeft[from] != isLeft[to] && (bothWays || isLeft[from]))
                    network.Cut(from, to, durationUs);
            }
        }
    }

    /// <summary>Each peer reaches its neighbours alone; of three, where all are neighbours, the next one alone.</summary>
    private void CutRing(SimulatedNetwork network)
    {
        long durationUs = Duration();
        int count = world.Peers.Count;
        bool isOneWay = count == 3 || random.Chance(0.3);
        for (int from = 0; from < count; from++)
        {
            for (int to = 0; to < count; to++)
            {
                int distance = (to - from + count) % count;
                bool isNeighbour = distance == 1 || (distance == count - 1 && !isOneWay);
                if (from != to && !isNeighbour)
                    network.Cut(from, to, durationUs);
            }
        }
    }

    private void Storm(SimulatedNetwork network)
    {
        network.Faults = Scenario.Network with
        {
            LossChance = random.Fraction() * 0.4,
            DuplicationChance = random.Fraction() * 0.3,
            StragglerChance = random.Fraction() * 0.5,
        };
        Events.After(Duration(), () =>
        {
            if (!IsOver)
                network.Faults = Scenario.Network;
        });
    }
}
