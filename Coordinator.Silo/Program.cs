using Coordinator.Silo.Hosting;

return (int)await SiloLifetime.RunAsync(args);
