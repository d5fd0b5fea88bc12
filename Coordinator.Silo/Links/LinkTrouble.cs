namespace Coordinator.Silo.Links;

/// <summary>What a link logs once in an interval, refusals apart.</summary>
internal enum LinkTrouble
{
    MessageTooLarge,
    BadEnvelope,
    NotReached,
    Broken,
}
