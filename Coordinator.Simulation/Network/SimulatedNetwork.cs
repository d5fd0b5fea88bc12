using Coordinator.Simulation.Engine;

namespace Coordinator.Simulation.Network;

/// <summary>
/// Carries messages between places, numbered from 0: peers first, then clients. Loses, repeats, delays and so reorders
/// them; a link may be cut or clogged in one direction. Invariant: it never makes up or changes a message.
/// </summary>
internal sealed class SimulatedNetwork(int places, EventQueue events, Prng random, Happenings happenings)
{
    private readonly long[] _cutUntilUs = new long[places * places];
    private readonly long[] _cloggedUntilUs = new long[places * places];
    private readonly long[] _lastArrivalUs = new long[places * places];

    public int Places { get; } = places;

    public NetworkFaults Faults { get; set; } = new();

    /// <summary>Nothing arrives that way until then; cuts of one link may overlap.</summary>
    public void Cut(int from, int to, long durationUs)
    {
        int link = LinkOf(from, to);
        _cutUntilUs[link] = Math.Max(_cutUntilUs[link], events.NowUs + durationUs);
    }

    public void Clog(int from, int to, long durationUs) =>
        _cloggedUntilUs[LinkOf(from, to)] = events.NowUs + durationUs;

    public void Mend()
    {
        Array.Clear(_cutUntilUs);
        Array.Clear(_cloggedUntilUs);
    }

    /// <summary>False: lost for certain.</summary>
    /// <param name="mayRepeat">Not on a client's connection: a stream loses its end, but repeats nothing.</param>
    public bool Send(int from, int to, Action deliver, bool mayRepeat = true)
    {
        int link = LinkOf(from, to);
        if (random.Chance(Faults.LossChance))
        {
            happenings.Count(Happening.MessageLost);
            return false;
        }
        Deliver(link, deliver);
        if (random.Chance(Faults.DuplicationChance) && mayRepeat)
        {
            happenings.Count(Happening.MessageDuplicated);
            Deliver(link, deliver);
        }
        return true;
    }

    /// <summary>On a stream: in order, once, or it breaks. Cuts and clogs are those of the link.</summary>
    public void SendInOrder(int from, int to, ref long lastArrivalUs, Action deliver, Action broken)
    {
        int link = LinkOf(from, to);
        // A stream repeats what is lost: the loss shows as a delay, and now and then as a broken connection.
        bool isLost = random.Chance(Faults.LossChance);
        long delayUs = random.Between(Faults.DelayMinUs, Faults.DelayMaxUs) + (isLost ? random.Between(20_000, 400_000) : 0);
        if (random.Chance(Faults.StragglerChance))
            delayUs += random.Skewed(0, Faults.StragglerMaxUs);
        bool breaks = isLost && random.Chance(0.2);
        // The break has its place in the order too: what is sent after it comes too late.
        lastArrivalUs = Math.Max(Math.Max(lastArrivalUs + 1, events.NowUs + delayUs), _cloggedUntilUs[link]);
        events.At(lastArrivalUs, () =>
        {
            if (breaks || IsCut(link))
                broken();
            else
                deliver();
        });
    }

    private void Deliver(int link, Action deliver)
    {
        long delayUs = random.Chance(Faults.StragglerChance)
            ? random.Skewed(Faults.DelayMaxUs, Faults.StragglerMaxUs)
            : random.Between(Faults.DelayMinUs, Faults.DelayMaxUs);
        long arrivalUs = events.NowUs + delayUs;
        if (arrivalUs < _cloggedUntilUs[link])
        {
            happenings.Count(Happening.MessageClogged);
            arrivalUs = _cloggedUntilUs[link] + random.Below(1_000);
        }
        if (arrivalUs < _lastArrivalUs[link])
            happenings.Count(Happening.MessageReordered);
        _lastArrivalUs[link] = Math.Max(_lastArrivalUs[link], arrivalUs);
        events.At(arrivalUs, () => Arrive(link, deliver));
    }

    /// <summary>A cut takes what is on its way as well as what is sent into it.</summary>
    private void Arrive(int link, Action deliver)
    {
        if (IsCut(link))
            happenings.Count(Happening.MessageCut);
        else
            deliver();
    }

    /// <summary>Nothing passes now, the one way or the other.</summary>
    public bool IsBlocked(int one, int other) => IsBlocked(LinkOf(one, other)) || IsBlocked(LinkOf(other, one));

    private bool IsBlocked(int link) => IsCut(link) || events.NowUs < _cloggedUntilUs[link];

    private bool IsCut(int link) => events.NowUs < _cutUntilUs[link];

    private int LinkOf(int from, int to) => (from * Places) + to;
}
