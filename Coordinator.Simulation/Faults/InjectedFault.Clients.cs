using Coordinator.Simulation.Clients;

namespace Coordinator.Simulation.Faults;

internal sealed partial class InjectedFault
{
    private const long WallClockStepMaxUs = 20_000_000;

    private bool TryClients(FaultKind kind)
    {
        if (kind == FaultKind.ClientVanishes)
        {
            random.Pick(world.Clients).Vanish();
            return true;
        }
        // The others take both of a machine's clocks, and only the library reads both.
        if (world.Clients.OfType<LibraryClient>().ToArray() is not { Length: > 0 } clients)
            return false;
        LibraryClient client = random.Pick(clients);
        return kind == FaultKind.ClientSuspended ? TrySuspend(client) : TrySetWallClock(client);
    }

    private bool TrySuspend(LibraryClient client)
    {
        if (!client.TrySleep())
            return false;
        Events.After(Duration(), client.Wake);
        return true;
    }

    private bool TrySetWallClock(LibraryClient client)
    {
        long stepUs = random.Between(1_000, WallClockStepMaxUs);
        // A machine that sleeps and is then set back would hide the sleep from both of its clocks: no rule covers that.
        client.StepWallClock(client.Sleeps || random.Chance(0.3) ? stepUs : -stepUs);
        return true;
    }
}
