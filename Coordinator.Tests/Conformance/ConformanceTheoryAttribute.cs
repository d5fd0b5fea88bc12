namespace Coordinator.Tests.Conformance;

/// <summary>A theory over a part of the conformance data; skipped, with the reason, where that is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ConformanceTheoryAttribute : TheoryAttribute
{
    public ConformanceTheoryAttribute(string part) => Skip = ConformanceFolder.SkipReason(part);
}

/// <summary>A test of a part of the conformance data; skipped, with the reason, where that is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ConformanceFactAttribute : FactAttribute
{
    public ConformanceFactAttribute(string part) => Skip = ConformanceFolder.SkipReason(part);
}
