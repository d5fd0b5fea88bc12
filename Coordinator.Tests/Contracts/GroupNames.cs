using Coordinator.Contracts;

namespace Coordinator.Tests.Contracts;

/// <summary>Namespaces for tests that need one in a group of their choice.</summary>
internal static class GroupNames
{
    public static string In(int group, int groups, int which = 0) => Enumerable.Range(0, int.MaxValue)
        .Select(i => $"ns{i}").Where(name => GroupOfName.Of(name, groups) == group).ElementAt(which);
}
