using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>Which resource a request's raw target names. Only whole segments count, as they were sent.</summary>
internal sealed class HttpRouter(CheckedGateway gateway, HttpInterfaceOptions options)
{
    private readonly SessionResource _sessions = new(gateway, options);
    private readonly HoldingResource _locks = new(gateway, options, HoldingKind.Lock);
    private readonly HoldingResource _semaphores = new(gateway, options, HoldingKind.Semaphore);
    private readonly HoldingResource _elections = new(gateway, options, HoldingKind.Election);
    private readonly LeaseResource _leases = new(gateway, options);
    private readonly ConfigResource _config = new(gateway);
    private readonly StatusResource _status = new(gateway);

    public Task RouteAsync(HttpContext context)
    {
        RequestTarget target = RequestTarget.Of(context);
        return target.Segments switch
        {
            ["v1", "sessions", .. var rest] => _sessions.RouteAsync(context, target, rest),
            ["v1", "locks", .. var rest] => _locks.RouteAsync(context, target, rest),
            ["v1", "semaphores", .. var rest] => _semaphores.RouteAsync(context, target, rest),
            ["v1", "elections", .. var rest] => _elections.RouteAsync(context, target, rest),
            ["v1", "leases", .. var rest] => _leases.RouteAsync(context, target, rest),
            ["v1", "config", .. var rest] => _config.RouteAsync(context, target, rest),
            ["v1", "status"] => _status.StatusAsync(context),
            ["health", "live"] => StatusResource.LiveAsync(context),
            ["health", "ready"] => _status.ReadyAsync(context),
            _ => Problems.UnknownPathAsync(context,
                "There are /v1/sessions, /v1/locks, /v1/semaphores, /v1/leases, /v1/elections, /v1/config, /v1/status, /v1/connect, /health/live, /health/ready."),
        };
    }
}
