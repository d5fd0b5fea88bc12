using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>Which resource a request's raw target names. Only whole segments count, as they were sent.</summary>
internal sealed class HttpRouter(
    CheckedGateway gateway, HttpInterfaceOptions options, EventStreams streams, SnapshotStreams snapshots)
{
    /// <summary>All that is served beside /v1/connect; the first that fits answers.</summary>
    public IReadOnlyList<HttpRoute> Routes { get; } =
    [
        .. new SessionResource(gateway, options).Routes,
        .. new WaitResource(gateway, options).Routes,
        .. new HoldingResource(gateway, options, HoldingKind.Lock).Routes,
        .. new HoldingResource(gateway, options, HoldingKind.Semaphore).Routes,
        .. new HoldingResource(gateway, options, HoldingKind.Election, streams).Routes,
        .. new LeaseResource(gateway, options).Routes,
        .. new ForcedReleaseResource(gateway).Routes,
        .. new ConfigResource(gateway, options, streams).Routes,
        .. new TransactionResource(gateway).Routes,
        .. new GroupResource(gateway, options).Routes,
        .. new SnapshotResource(gateway, snapshots).Routes,
        .. new StatusResource(gateway).Routes,
    ];

    public Task RouteAsync(HttpContext context)
    {
        RequestTarget target = RequestTarget.Of(context);
        string method = context.Request.Method;
        List<HttpRoute> others = [];
        foreach (HttpRoute route in Routes)
        {
            if (route.Match(target.Segments) is not { } parameter)
                continue;
            if (route.Serves(method))
                return route.Handler(context, target, parameter);
            others.Add(route);
        }
        return RefuseAsync(context, others);
    }

    private Task RefuseAsync(HttpContext context, List<HttpRoute> others)
    {
        if (others.Count == 0)
            return Problems.UnknownPathAsync(context,
                $"There are /v1/connect, {string.Join(", ", Routes.Select(route => route.Template).Distinct())}.");
        string[] verbs = HttpMethods.IsPost(context.Request.Method) ? VerbsOf(others) : [];
        return verbs.Length > 0
            ? Problems.UnknownPathAsync(context,
                $"The path of a POST ends with what to do: {string.Join(" or ", verbs)}.")
            : Problems.MethodNotAllowedAsync(context, AllowedOf(others));
    }

    /// <summary>What can be done with a name that was sent without saying what.</summary>
    private string[] VerbsOf(List<HttpRoute> named) =>
    [
        .. Routes.Select(route => route.Template).Where(template => named.Any(route =>
            route.Template.EndsWith(HttpRoute.NameParameter, StringComparison.Ordinal)
            && template.StartsWith($"{route.Template}/", StringComparison.Ordinal))),
    ];

    private static string AllowedOf(List<HttpRoute> routes)
    {
        IEnumerable<string> methods = routes.Select(route => route.Method);
        return string.Join(", ", methods.SelectMany(
            method => HttpMethods.IsGet(method) ? new[] { method, HttpMethods.Head } : [method]).Distinct());
    }
}
