using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>Turns whatever a request throws into problem details: no answer of a silo is without a code.</summary>
internal sealed class Faults(ILogger logger)
{
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has left: nobody is there to be told.
            context.Abort();
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            ErrorCode code = e.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? ErrorCode.RequestTooLarge
                : ErrorCode.InvalidRequest;
            context.Response.Clear();
            await Problems.WriteAsync(context, code, e.Message, status: e.StatusCode);
        }
        catch (Exception e)
        {
            logger.RequestFailed(e, context.Request.Method, context.Request.Path);
            if (context.Response.HasStarted)
            {
                context.Abort();
                return;
            }
            context.Response.Clear();
            await Problems.WriteAsync(context, ErrorCode.Internal, "The silo failed while it worked on the request.");
        }
    }
}
