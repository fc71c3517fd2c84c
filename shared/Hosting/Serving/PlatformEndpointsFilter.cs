using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace Entrepot.Hosting.Serving;

/// <summary>Puts <see cref="PlatformEndpoints"/> first, so that no process can forget it.</summary>
internal sealed class PlatformEndpointsFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseMiddleware<PlatformEndpoints>();
        next(app);
    };
}
